using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Keelback;

/// <summary>Keeps the log out of a command's output: to standard error, and warnings only unless <c>--verbose</c>.</summary>
/// <remarks>The logger is made before the command line is read, so a change of the mode makes it read its options again.</remarks>
internal sealed class CommandLogging<TOptions> : IOptionsChangeTokenSource<TOptions>, IDisposable
{
    private readonly RunMode _mode;
    private CancellationTokenSource _changed = new();

    public CommandLogging(RunMode mode)
    {
        _mode = mode;
        mode.Changed += Signal;
    }

    public string? Name => Options.DefaultName;

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_changed.Token);

    public void Dispose()
    {
        _mode.Changed -= Signal;
        _changed.Dispose();
    }

    private void Signal()
    {
        using var before = Interlocked.Exchange(ref _changed, new());
        before.Cancel();
    }
}

/// <summary>Registers both halves.</summary>
internal static class CommandLogging
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<IOptionsChangeTokenSource<ConsoleLoggerOptions>, CommandLogging<ConsoleLoggerOptions>>();
        services.AddOptions<ConsoleLoggerOptions>().PostConfigure<RunMode>((console, mode) =>
        {
            if (mode.Host == CommandHost.None) console.LogToStandardErrorThreshold = LogLevel.Trace;
        });

        services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>, CommandLogging<LoggerFilterOptions>>();
        services.AddOptions<LoggerFilterOptions>().PostConfigure<RunMode>((filter, mode) =>
        {
            if (mode.Host == CommandHost.None && !mode.Verbose) Quieten(filter);
            if (mode.Starting) filter.Rules.Add(new(null, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical, null));
        });
    }

    private static void Quieten(LoggerFilterOptions filter)
    {
        filter.MinLevel = Max(filter.MinLevel);
        for (var i = 0; i < filter.Rules.Count; i++)
        {
            var rule = filter.Rules[i];
            filter.Rules[i] = new(rule.ProviderName, rule.CategoryName, Max(rule.LogLevel ?? LogLevel.Trace), rule.Filter);
        }
    }

    private static LogLevel Max(LogLevel level) => level > LogLevel.Warning ? level : LogLevel.Warning;
}
