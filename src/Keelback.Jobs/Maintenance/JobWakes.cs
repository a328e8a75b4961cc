using Keelback.Postgres;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>Wakes the loops that have something to do, here and in other processes. A hint: polling finds it anyway.</summary>
internal sealed class JobWakes(WakeUps wakeUps, IOptions<PostgresOptions> postgres)
{
    private string Work => $"jobs:{postgres.Value.App}";

    private string Again => $"jobs-again:{postgres.Value.App}";

    private string Ticks => $"jobs-schedules:{postgres.Value.App}";

    private const string Due = "jobs-timers";
    private const string Taken = "jobs-claims";

    private string Order => $"jobs-orders:{postgres.Value.App}";

    public IDisposable OnWork(Action wake) => wakeUps.Subscribe(Work, wake);

    public IDisposable OnLookAgain(Action wake) => wakeUps.Subscribe(Again, wake);

    public IDisposable OnTimer(Action wake) => wakeUps.Subscribe(Due, wake);

    public IDisposable OnClaimsTaken(Action wake) => wakeUps.Subscribe(Taken, wake);

    public IDisposable OnSchedules(Action wake) => wakeUps.Subscribe(Ticks, wake);

    /// <summary>A schedule was made or changed.</summary>
    public void Schedules() => wakeUps.Signal(Ticks);

    public IDisposable OnOrders(Action wake) => wakeUps.Subscribe(Order, wake);

    /// <summary>Something was asked of workers, or something may not run any more.</summary>
    public void Orders() => wakeUps.Signal(Order);

    /// <summary>Runs became ready.</summary>
    public void Workers() => wakeUps.Signal(Work);

    /// <summary>Runs became ready, and this process's worker knows.</summary>
    public void WorkersElsewhere() => wakeUps.SignalElsewhere(Work);

    /// <summary>Runs came back that go before others, or queues were paused, resumed or given slots.</summary>
    public void LookAgain() => wakeUps.Signal(Again);

    /// <summary>A timer was set.</summary>
    public void Timers() => wakeUps.Signal(Due);

    /// <summary>A running attempt was cancelled: its worker should ask at once which claims it still holds.</summary>
    public void ClaimsTaken() => wakeUps.Signal(Taken);
}
