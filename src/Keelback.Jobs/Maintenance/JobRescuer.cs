using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Sweeps, on every node and all the time: ends dead workers' sessions, of any app, then hands back what they held of this one.</summary>
internal sealed class JobRescuer(
    NpgsqlDataSource db, WorkerRegistry workers, QueueCatalog queues, JobEvents events, JobNews news, JobTelemetry telemetry, IOptions<JobsOptions> options, TimeProvider clock, ILogger<JobRescuer> log)
    : PollingService(clock, log)
{
    private const int BatchSize = 1000;
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_jump = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _clock = clock;
    private readonly PatientEnds _quarantines = new(clock, log);
    private (DateTime Database, long Here)? _last;
    private long? _jumpedAt;

    protected override Task<TimeSpan> PollAsync(CancellationToken stopping) => LookAsync(stopping);

    /// <summary>A sweep, unless the clock has just leaped; how long until the next.</summary>
    internal async Task<TimeSpan> LookAsync(CancellationToken ct)
    {
        if (await ClockHasJumpedAsync(ct)) return s_interval;

        var (_, runs, _) = await SweepAsync(ct);
        return runs >= BatchSize || _quarantines.Again == TimeSpan.Zero ? TimeSpan.Zero : s_interval;
    }

    /// <summary>One sweep.</summary>
    internal async Task<(int Workers, int Runs, int Quarantined)> SweepAsync(CancellationToken ct)
    {
        var dead = await workers.ExpireAsync(ct);

        // Before the claims go back: the next attempt must not wait for a frozen transaction's locks, nor be undone by its commit.
        // Also when no worker died just now: a sweep that was cut short in between left its orphans.
        var sessions = dead.Count > 0 || await SweepStatement.HasOrphansAsync(db, queues.App, ct) ? await workers.TerminateAsync(ct) : 0;

        // First, and by themselves: whatever has a run locked that is to be quarantined, what others lost goes on.
        var back = await SweepAsync(quarantines: false, RunChoice.All, ct);
        var ended = Swept.Nothing;
        await _quarantines.RunAsync(
            async choice => ended = await SweepAsync(quarantines: true, choice, ct),
            except => SweepStatement.NextQuarantineAsync(db, queues.App, options.Value.CrashLimit, except, ct));

        var (runs, quarantined) = (back.Runs + ended.Runs, ended.Quarantined);
        if (runs > 0)
        {
            telemetry.Rescued.Add(runs);
            if (events.AreWanted) events.Raise(new JobsRescued(runs, quarantined));
            news.Ended(ended.Ended);
            Log.Rescued(log, dead.Count, sessions, runs, quarantined);
        }

        return (dead.Count, runs, quarantined);
    }

    private Task<Swept> SweepAsync(bool quarantines, RunChoice choice, CancellationToken ct) =>
        SweepStatement.RunAsync(db, queues.App, options.Value.CrashLimit, quarantines, choice, BatchSize, ct);

    // A database clock that leaps ahead ends every lease at once. Who is alive renews within a heartbeat; who is dead stays dead.
    private async Task<bool> ClockHasJumpedAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("select keelback.clock()");
        var here = _clock.GetTimestamp();
        var database = (DateTime)(await command.ExecuteScalarAsync(ct))!;

        if (_last is { } last)
        {
            var jump = database - last.Database - _clock.GetElapsedTime(last.Here, here);
            if (jump > s_jump && jump > _clock.GetElapsedTime(here))
            {
                _jumpedAt = here;
                Log.ClockJumped(log, jump, options.Value.Heartbeat);
            }
        }

        _last = (database, here);
        if (_jumpedAt is { } at && _clock.GetElapsedTime(at) <= options.Value.Heartbeat + s_interval) return true;

        _jumpedAt = null;
        return false;
    }
}
