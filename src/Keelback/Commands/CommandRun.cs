using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>One run of one command: its scope, its options, the host it needs, and its end.</summary>
internal sealed class CommandRun(IHost app, Terminal terminal, CommandShape shape)
{
    public async Task<int> RunAsync(ParseResult parsed, bool verbose, CancellationToken ct)
    {
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            app.Services.GetRequiredService<RunMode>().Become(shape.About.Host, verbose);

            await using var scope = app.Services.CreateAsyncScope();
            var command = (Command)ActivatorUtilities.CreateInstance(scope.ServiceProvider, shape.Type);
            (command.Output, command.Error, command.Input) = (terminal.Out, terminal.Error, terminal.In ?? TextReader.Null);
            foreach (var symbol in shape.Symbols) symbol.Bind(parsed, command);
            if (!Accepts(command)) return Shell.WrongUsage;

            command.BeforeHost();
            return shape.About.Host == CommandHost.None
                ? await AloneAsync(command, interrupted)
                : await BesideTheHostAsync(command, interrupted);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return Shell.Interrupted;
        }
        catch (Exception e) when (!terminal.Throws)
        {
            return Failure.Report(e, terminal.Error, verbose);
        }
    }

    private bool Accepts(Command command)
    {
        var refused = new List<string>();
        foreach (var symbol in shape.Symbols)
        {
            var results = new List<ValidationResult>();
            var context = new ValidationContext(command) { MemberName = symbol.Property.Name, DisplayName = symbol.Shown };
            var value = symbol.Property.GetValue(command);
            if (!Validator.TryValidateProperty(value, context, results))
                refused.AddRange(results.Select(r => $"{r.ErrorMessage} It is '{(value is string[] texts ? string.Join(',', texts) : value)}'."));
        }

        foreach (var message in refused) terminal.Error.WriteLine(message);
        return refused.Count == 0;
    }

    private static async Task<int> AloneAsync(Command command, CancellationTokenSource interrupted)
    {
        // No host runs, so no host handles Ctrl+C.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);

        return await command.RunAsync(interrupted.Token);

        void Interrupt(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }
    }

    private async Task<int> BesideTheHostAsync(Command command, CancellationTokenSource interrupted)
    {
        // Before the start, which may wait for the database: a signal that comes meanwhile is no failure.
        var life = app.Services.GetRequiredService<IHostApplicationLifetime>();
        using var stopping = life.ApplicationStopping.Register(interrupted.Cancel);
        await StartAsync(interrupted.Token);
        try
        {
            return await command.RunAsync(interrupted.Token);
        }
        finally
        {
            await app.StopAsync(CancellationToken.None); // within HostOptions.ShutdownTimeout
        }
    }

    private async Task StartAsync(CancellationToken ct)
    {
        if (shape.About.Host == CommandHost.Workers) SilentServer.Require(app.Services);
        app.Services.GetRequiredService<StartChecks>().Validate();

        // What fails here is reported once, by us; the host would log it with its trace as well.
        var mode = app.Services.GetRequiredService<RunMode>();
        mode.Starting = true;
        await app.StartAsync(ct);
        mode.Starting = false;
    }
}
