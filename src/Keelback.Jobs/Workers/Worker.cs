using System.Collections.Concurrent;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Runs this process's share of the jobs: one pump tells outcomes and asks for work in the same round trip; each claim runs in its own slot.</summary>
/// <remarks>
/// No more is claimed than can start at once, so a claim is a start. An outcome keeps being told until it is written: while the
/// database is away outcomes wait, bounded by the slots, because nothing new is claimed.
/// </remarks>
internal sealed class Worker(
    NpgsqlDataSource db, Exchange exchange, JobKinds kinds, JobRunner runner, QueueCatalog queues, RunWaiters waiters,
    UnknownKinds unknownKinds, Revoked revoked, JobWakes wakes, JobEvents events, JobTelemetry telemetry, IOptions<JobsOptions> configured,
    TimeProvider clock, ILogger<Worker> log)
    : PollingService(clock, log)
{
    private static readonly TimeSpan s_busyPoll = TimeSpan.FromMilliseconds(50);

    private readonly JobsOptions _options = configured.Value;
    private readonly TimeProvider _clock = clock;
    private readonly Lanes _lanes = new(clock);
    private readonly ConcurrentDictionary<long, RunningJob> _running = new(); // by token
    private readonly ConcurrentQueue<Outcome> _ended = new();
    private readonly ConcurrentDictionary<long, RunningJob> _abandoned = new(); // by token
    private readonly WorkerDrain _drain = new(db, waiters, clock, log);
    private long _done;
    private int _stopped;

    // The pump's own; nobody else reads or writes them.
    private readonly List<Outcome> _untold = [];
    private bool _answerLost;
    private volatile bool _askForClaims;
    private volatile bool _lookAgain;
    private bool _refused;
    private long _lastFull;
    private int _queuesSeen = -1;
    private TimeSpan _idle = s_busyPoll;

    private Heartbeat? _heartbeat;

    /// <summary>Id and epoch while the lease is held.</summary>
    public WorkerIdentity? Identity => _heartbeat?.Current;

    /// <summary>The heartbeat, for tests that stop it.</summary>
    internal Heartbeat Heartbeat => _heartbeat!;

    /// <summary>Attempts that run in this process now.</summary>
    public int Running => _running.Count;

    /// <summary>Attempts that it has ended.</summary>
    public long Ended => Interlocked.Read(ref _done);

    public Slots Slots { get; } = new(configured.Value, PoolRule.Room(db), clock);

    /// <summary>Nothing runs, and every outcome is written.</summary>
    public bool IsEmpty => _drain.IsEmpty;

    public WorkerReport Report() => new()
    {
        Concurrency = Slots.Most,
        Slots = Slots.Now,
        Abandoned = _abandoned.Count,
        Ended = Ended,
        IsPaused = Slots.IsPaused,
        IsStopping = _drain.HasBegun,
    };

    /// <summary>No claim from here on; at once: running jobs are cancelled and handed back.</summary>
    public void Drain(bool atOnce)
    {
        _drain.Begin();
        if (atOnce)
            foreach (var job in _running.Values) job.Stop(StopReason.Released);
        Wake();
    }

    /// <summary>Some claim was taken away in this process; the pump asks at once whether it is one of ours.</summary>
    public void AskForClaims()
    {
        _askForClaims = true;
        Wake();
    }

    /// <summary>Something came back that is below the marks, or a queue is open that was not, or the other way round.</summary>
    public void LookAgain()
    {
        _lookAgain = true;
        Wake();
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (PoolRule.Mistake(_options, db) is { } mistake) throw mistake;

        var description = new WorkerDescription(queues.App, $"{Environment.MachineName}/{Environment.ProcessId}", [.. _options.Queues],
            $$"""{"concurrency": {{_options.Concurrency}}}""");
        _heartbeat = new(db, description, new(_options.Heartbeat, _options.Lease), OnLeaseLost, _clock, log);
        await _heartbeat.StartAsync(cancellationToken);

        var names = _options.Queues.Count == 0 ? "all" : string.Join(", ", _options.Queues);
        Log.WorkerStarted(log, Identity?.Id ?? 0, queues.App, _options.Concurrency, names);
        if (events.AreWanted) events.Raise(new WorkerStarted(Identity?.Id ?? 0));
        await base.StartAsync(cancellationToken);
    }

    /// <summary>No claim from here on; what ends in time is kept, the rest is cancelled and handed back, its attempt with it.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 1) return; // by an order from afar, and then by the host
        Drain(atOnce: false);
        using var signals = new SecondSignal(() =>
        {
            Log.StopsAtOnce(log);
            Drain(atOnce: true);
        });

        if (_heartbeat is not null && ExecuteTask is { IsCompleted: false })
        {
            Log.WorkerStops(log, _running.Count, _options.ShutdownTimeout);
            var grace = _options.ShutdownTimeout / 10; // for jobs to notice that they were cancelled
            if (!await _drain.EndsWithinAsync(_options.ShutdownTimeout - grace, cancellationToken))
            {
                foreach (var job in _running.Values) job.Stop(StopReason.Released);
                Wake();
                await _drain.EndsWithinAsync(grace, cancellationToken);
            }
        }

        await base.StopAsync(cancellationToken);
        await HandBackAsync();
        _heartbeat?.Dispose();
        await exchange.DisposeAsync();
        if (events.AreWanted) events.Raise(new WorkerStopped());
    }

    public override void Dispose()
    {
        _heartbeat?.Dispose();
        base.Dispose();
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        // Jobs that are ready to end do so first: they wait before this pass in the pool's queue, and one round trip tells them all.
        await Task.Yield();

        // What a refused batch holds is told one by one, with no claim beside it, so that one bad row does not strand the others
        // and is not blamed for what a claim has met.
        while (_ended.TryDequeue(out var outcome)) _untold.Add(outcome);
        var telling = _refused ? _untold.Take(1).ToList() : [.. _untold];

        var full = _lookAgain || _clock.GetElapsedTime(_lastFull) >= FullScan;
        _lookAgain = false;
        var asked = _askForClaims;
        if (full || _queuesSeen != queues.Count) await RefreshLanesAsync(stopping);

        var request = Request(telling, full);
        var result = await TellAsync(request, stopping);
        if (result is null)
        {
            _lookAgain |= full;
            return TimeSpan.Zero;
        }
        if (telling.Exists(outcome => outcome is Outcome.Succeeded { Claim.Followed: true })) FailPoint.Hit(FailPoint.ChordLast);

        Settle(telling, result);
        if (asked) _askForClaims = false;
        if (full) _lastFull = _clock.GetTimestamp();
        if (full) AbandonOverdue();
        if (request.Claim is { } looked) Slots.Saw(_running.Count + result.Claimed.Claims.Count, result.Claimed.Seen.Count == looked.Limit);
        foreach (var token in result.Lost)
            if (_running.TryGetValue(token, out var job)) Stop(job, StopReason.Lost);

        _lanes.Saw(result.Claimed.Seen);
        if (result.Promoted > result.Claimed.Claims.Count(claim => claim.Limited)) wakes.LookAgain(); // more than we took: others may
        unknownKinds.Report(result.Claimed.UnknownKinds);
        var mayNotRun = await AmongRevokedAsync(result.Claimed.Claims, stopping);
        foreach (var claim in result.Claimed.Claims)
        {
            if (mayNotRun.TryGetValue(claim.RunId, out var reason)) _ended.Enqueue(new Outcome.Skipped(claim, reason, IsRevoked: true));
            else Start(claim, request.Claim!.Worker);
        }

        if (mayNotRun.Count > 0) Wake();
        if (result.Claimed.Claims.Count > 0) FailPoint.Hit(FailPoint.AfterClaim);

        return Sleep(request, result);
    }

    private TimeSpan FullScan => _options.PollInterval < TimeSpan.FromSeconds(1) ? _options.PollInterval : TimeSpan.FromSeconds(1);

    private ExchangeRequest Request(List<Outcome> telling, bool full)
    {
        var free = Slots.Now - _running.Count;
        var worker = _drain.HasBegun ? null : Identity;
        return new()
        {
            Outcomes = telling,
            Claim = free > 0 && !_refused && worker is { } claimer ? _lanes.Request(free, full || telling.Exists(o => o.Claim.Limited), claimer, queues.App, kinds.Names) : null,
            Held = full || _askForClaims ? [.. _running.Values.Select(job => job.Claim)] : [],
            Known = _answerLost && Identity is { } known
                ? (known, [.. _running.Keys, .. _untold.Select(o => o.Claim.Token), .. _ended.Select(o => o.Claim.Token)])
                : null,
        };
    }

    private async ValueTask<Dictionary<long, JobError>> AmongRevokedAsync(List<Claim> claims, CancellationToken stopping)
    {
        try
        {
            return await revoked.AmongAsync(claims, stopping);
        }
        catch
        {
            _answerLost = true; // nobody runs them: they go back as strangers
            throw;
        }
    }

    private async Task<ExchangeResult?> TellAsync(ExchangeRequest request, CancellationToken stopping)
    {
        try
        {
            var result = await exchange.RunAsync(request, stopping);
            _answerLost = false;
            return result;
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("22", StringComparison.Ordinal) && request.Outcomes.Count > 0)
        {
            Refused(request.Outcomes, e);
            return null;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
        {
            return null; // rolled back as a whole; the same again
        }
        catch
        {
            _answerLost = true; // it may have been committed all the same
            throw;
        }
    }

    private void Refused(IReadOnlyList<Outcome> outcomes, PostgresException e)
    {
        if (!_refused)
        {
            Log.BatchRefused(log, outcomes.Count, e);
            _refused = true;
            return;
        }

        // Alone and still refused: it is this one. A run must end, so its attempt fails with the reason.
        var claim = outcomes[0].Claim;
        var error = JobErrors.ResultNotStorable(claim.Kind, e.MessageText, e);
        _untold[0] = new Outcome.Failed(claim, JobError.From(error), JobAttemptOutcome.Failed, RetryAfter: null);
    }

    private void Settle(List<Outcome> told, ExchangeResult result)
    {
        _untold.RemoveRange(0, told.Count);
        if (_untold.Count == 0) _refused = false;

        foreach (var outcome in told)
        {
            if (outcome.Tells && !result.Written.Contains(outcome.Claim.RunId))
            {
                telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", outcome.Claim.Kind));
                Log.WriteFenced(log, outcome.Claim.Kind, outcome.Claim.RunId, outcome.Claim.Attempt);
            }
            else
            {
                if (events.AreWanted && EventOf(outcome) is { } e) events.Raise(e);
                Log.Ended(log, outcome.Claim.Kind, outcome.Claim.RunId, outcome.GetType().Name);
            }
        }

        waiters.Ended(told.Select(o => o.Claim.RunId).Concat(result.Written));
    }

    private static JobEvent? EventOf(Outcome outcome) => (outcome, outcome.Claim) switch
    {
        (Outcome.Succeeded or Outcome.Settled, var c) => new JobSucceeded(c.RunId, c.Kind, c.Attempt),
        (Outcome.Failed { RetryAfter: { } after } failed, var c) => new JobRetried(c.RunId, c.Kind, c.Attempt, failed.Error, after),
        (Outcome.Failed failed, var c) => new JobFailed(c.RunId, c.Kind, c.Attempt, failed.Error),
        (Outcome.Snoozed snoozed, var c) => new JobSnoozed(c.RunId, c.Kind, snoozed.Delay),
        (Outcome.Skipped { IsRevoked: true } revoked, var c) => new JobRevoked(c.RunId, c.Kind, revoked.Reason),
        (Outcome.Skipped skipped, var c) => new JobSkipped(c.RunId, c.Kind, skipped.Reason),
        _ => null, // handed back: nothing happened to the run
    };

    private void Start(Claim claim, WorkerIdentity worker)
    {
        var job = new RunningJob(claim, _clock);
        _running[claim.Token] = job;
        if (events.AreWanted) events.Raise(new JobStarted(claim.RunId, claim.Kind, claim.Attempt));
        if (Identity != worker) job.Stop(StopReason.Released); // the lease was lost while the answer was on its way

        _ = Task.Run(async () =>
        {
            var outcome = await runner.RunAsync(job, worker);
            if (job.TryEnd())
            {
                _ended.Enqueue(outcome);
                _running.TryRemove(claim.Token, out _);
            }
            else
            {
                _abandoned.TryRemove(claim.Token, out _);
                Log.AbandonedEnded(log, claim.Kind, claim.RunId, claim.Attempt);
            }

            Interlocked.Increment(ref _done);
            job.Dispose();
            Wake();
        });
    }

    // What does not stop when it is told to keeps its thread, but neither its run nor its slot.
    private void AbandonOverdue()
    {
        foreach (var job in _running.Values)
        {
            if (!job.IsOverdue(_options.AbandonAfter) || !job.TryEnd()) continue;

            _abandoned[job.Claim.Token] = job;
            _ended.Enqueue(runner.Abandoned(job));
            _running.TryRemove(job.Claim.Token, out _);
            if (events.AreWanted) events.Raise(new JobAbandoned(job.Claim.RunId, job.Claim.Kind, job.Claim.Attempt));
            telemetry.Abandoned.Add(1, new KeyValuePair<string, object?>("kind", job.Claim.Kind));
            Log.Abandoned(log, job.Claim.Kind, job.Claim.RunId, job.Claim.Attempt, _options.AbandonAfter);
            if (job.Session != 0 && Identity is { } worker) _ = EndSessionAsync(job.Session, worker);
            Wake();
        }
    }

    // Its transaction would keep its locks, and the next attempt would wait for them. The name tells ours from another's: behind a pooler the number is not the server's.
    private async Task EndSessionAsync(int session, WorkerIdentity worker)
    {
        try
        {
            await using var command = db.CreateCommand("select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and application_name = $2");
            command.Parameters.AddWithValue(session);
            command.Parameters.AddWithValue(worker.ApplicationName);
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            Log.SessionNotEnded(log, e);
        }
    }

    private TimeSpan Sleep(ExchangeRequest request, ExchangeResult result)
    {
        if (_drain.HasBegun && _running.IsEmpty && _ended.IsEmpty && _untold.Count == 0) _drain.Empty();
        if (_untold.Count > 0) return TimeSpan.Zero;

        var claimed = result.Claimed.Seen.Count;
        if (request.Claim is { } asked && claimed == asked.Limit && _running.Count < Slots.Now) return TimeSpan.Zero;

        // Busy: look again soon, in case nobody tells us. Idle: ever more seldom. No slot free: an outcome will wake us.
        _idle = claimed > 0 ? s_busyPoll : _idle * 2;
        if (_idle > _options.PollInterval) _idle = _options.PollInterval;
        return _idle < FullScan ? _idle : FullScan;
    }

    private async Task RefreshLanesAsync(CancellationToken ct)
    {
        var all = await queues.AllAsync(ct);
        _lanes.Set(_options.Queues.Count > 0 ? all.Where(q => _options.Queues.Contains(q.Name)) : all);
        if (_options.PriorityAging is { } aLevel) _lanes.Age(await AgeStatement.LevelsAsync(db, _lanes.Queues, aLevel, ct));
        _queuesSeen = queues.Count;
    }

    private void OnLeaseLost()
    {
        foreach (var job in _running.Values) Stop(job, StopReason.Released);
        Wake();
    }

    private void Stop(RunningJob job, StopReason reason)
    {
        Log.AttemptStopped(log, job.Claim.Kind, job.Claim.RunId, job.Claim.Attempt, reason);
        job.Stop(reason);
    }

    private async Task HandBackAsync()
    {
        if (Identity is not { } worker) return;

        while (_ended.TryDequeue(out var outcome)) _untold.Add(outcome);
        List<Claim> running = [.. _running.Values.Select(job => job.Claim)];
        if (running.Count + _untold.Count > 0 || _answerLost) await _drain.HandBackAsync(worker, _untold, running);
    }
}
