using System.Diagnostics.Metrics;
using Keelback.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Chaos;

/// <summary>A process that works until it is told to stop, or killed.</summary>
internal static class WorkerRole
{
    public static async Task<int> RunAsync(RoleOptions role)
    {
        EndWithParent();
        using var ledger = new Ledger(role.Ledger);
        using var fenced = CountFencedWrites(ledger);
        using var host = RoleHost.Build(role, ledger, runWorker: true);
        try
        {
            await host.StartAsync();
        }
        catch (OperationCanceledException) when (host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested)
        {
            return 0; // told to stop before it had begun
        }

        ledger.Write("R");
        await host.WaitForShutdownAsync();
        ledger.Write("X");
        return 0;
    }

    /// <summary>Who started us holds the other end of our input: nobody is left behind.</summary>
    private static void EndWithParent() => new Thread(() =>
    {
        while (Console.In.ReadLine() is not null)
        {
        }

        Environment.Exit(3);
    })
    { IsBackground = true }.Start();

    private static MeterListener CountFencedWrites(Ledger ledger)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == JobTelemetry.Name && instrument.Name == "keelback.jobs.fenced_writes") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => ledger.Write("F", count));
        listener.Start();
        return listener;
    }
}
