using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Hands what runs log to the sink. The platform's own categories (<c>Microsoft.*</c>, <c>Npgsql.*</c>, <c>System.*</c>) only from Warning on: a line for each statement helps nobody.</summary>
[ProviderAlias("KeelbackRuns")]
internal sealed class RunLogProvider(RunLogSink sink) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new RunLogger(sink, categoryName);

    public void Dispose()
    {
    }

    private sealed class RunLogger(RunLogSink sink, string category) : ILogger
    {
        private readonly LogLevel _least = IsPlatform(category) ? LogLevel.Warning : LogLevel.Trace;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None && sink.Current is not null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) sink.Current?.Add(logLevel, category, formatter(state, exception), exception);
        }

        private static bool IsPlatform(string category) =>
            category.StartsWith("Microsoft.", StringComparison.Ordinal) || category.StartsWith("Npgsql", StringComparison.Ordinal)
            || category.StartsWith("System.", StringComparison.Ordinal);
    }
}
