using Keelback.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keelback.Chaos;

/// <summary>An app like any other, on the run's database.</summary>
internal static class RoleHost
{
    /// <summary>Of one second each; all workers race for every tick.</summary>
    public const int Schedules = 4;

    public static IHost Build(RoleOptions role, Ledger ledger, bool runWorker)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "Keelback.Chaos" });
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Keelback", role.Connection)]);
        builder.Logging.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat) = (true, "HH:mm:ss.fff ")).SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddProvider(new LedgerLog(ledger));
        builder.Services.AddSingleton(ledger);

        new KeelbackBuilder(builder)
            .AddPostgres(o =>
            {
                o.App = "chaos";
                o.StartTimeout = TimeSpan.FromMinutes(5);
                if (role.IsPooled) o.ListenConnection = "";
            })
            .AddData<ChaosDb>()
            .AddJobs(o =>
            {
                (o.RunWorker, o.Concurrency, o.Lease, o.Heartbeat) = (runWorker, RoleOptions.Concurrency, RoleOptions.Lease, RoleOptions.Heartbeat);
                (o.ShutdownTimeout, o.CrashLimit) = (RoleOptions.Shutdown, RoleOptions.CrashLimit);
                o.Retention = TimeSpan.FromDays(365); // clocks jump by days
                for (var i = 0; i < Schedules; i++)
                {
                    var (name, catchUp) = (i % 2 == 0 ? $"all-{i}" : $"latest-{i}", i % 2 == 0 ? CatchUp.All : CatchUp.Latest);
                    o.AddSchedule(name, Trigger.Every(TimeSpan.FromSeconds(1), aligned: true), tick => Work.Tick(name, tick.At.ToUnixTimeSeconds()),
                        new() { CatchUp = catchUp, CatchUpLimit = 1000 });
                }
            });

        // An older program does not have the newer kind.
        if (role.Version == 1 && builder.Services.FirstOrDefault(s => s.ImplementationInstance is JobKind { Name: Work.Newer }) is { } newer)
            builder.Services.Remove(newer);

        return builder.Build();
    }
}
