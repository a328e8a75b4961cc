using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Runs this process's share of the jobs: the <see cref="Pump"/> decides, and this carries it out, one exchange with the database a turn; each claim runs in its own slot.</summary>
internal sealed class Worker(
    NpgsqlDataSource db, Exchange exchange, JobKinds kinds, JobRunner runner, QueueCatalog queues, JobNews news,
    UnknownKinds unknownKinds, Revoked revoked, JobWakes wakes, CallCarrier carrier, JobEvents events, JobTelemetry telemetry, IOptions<JobsOptions> configured,
    TimeProvider clock, ILogger<Worker> log)
    : PollingService(clock, log)
{
    private readonly JobsOptions _options = configured.Value;
    private readonly TimeProvider _clock = clock;
    private readonly Pump _pump = new(configured.Value, new(configured.Value, PoolRule.Room(db), clock), queues.App, kinds.Names, clock);
    private readonly WorkerDrain _drain = new(db, news, clock, log);
    private readonly AbandonedSessions _sessions = new(db, log);
    private int _queuesSeen = -1;
    private bool _isDraining;
    private TaskCompletionSource? _stop;

    private Heartbeat? _heartbeat;

    /// <summary>Id and epoch while the lease is held.</summary>
    public WorkerIdentity? Identity => _heartbeat?.Current;

    /// <summary>The heartbeat, for tests that stop it.</summary>
    internal Heartbeat Heartbeat => _heartbeat!;

    /// <summary>Attempts that run in this process now.</summary>
    public int Running => _pump.Jobs.Count;

    /// <summary>Attempts that it has ended.</summary>
    public long Ended => _pump.Jobs.Ended;

    public Slots Slots => _pump.Slots;

    /// <summary>Nothing runs, and every outcome is written.</summary>
    public bool IsEmpty => _drain.IsEmpty;

    public WorkerReport Report() => new()
    {
        Concurrency = Slots.Most,
        Slots = Slots.Now,
        Abandoned = _pump.Jobs.Abandoned,
        Ended = Ended,
        IsPaused = Slots.IsPaused,
        IsStopping = _pump.IsDraining,
    };

    /// <inheritdoc cref="Pump.Drain"/>
    public void Drain(bool atOnce)
    {
        if (!Interlocked.Exchange(ref _isDraining, true) && events.AreWanted) events.Raise(new WorkerDraining());
        _pump.Drain(atOnce);
        Wake();
    }

    /// <inheritdoc cref="Pump.AskForClaims"/>
    public void AskForClaims()
    {
        _pump.AskForClaims();
        Wake();
    }

    /// <inheritdoc cref="Pump.LookAgain"/>
    public void LookAgain()
    {
        _pump.LookAgain();
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
        var own = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _stop, own, null) is { } first)
        {
            // By an order from afar, and then by the host, which must not go on before it has stopped.
            await first.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        try
        {
            await EndAsync(cancellationToken);
        }
        finally
        {
            own.SetResult();
        }
    }

    public override void Dispose()
    {
        carrier.Close()?.Refuse();
        _heartbeat?.Dispose();
        base.Dispose();
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        Drain(atOnce: false);
        var hurry = new CancellationTokenSource(); // not disposed: a signal may still be handled when this ends
        using var signals = new SecondSignal(() =>
        {
            Log.StopsAtOnce(log);
            hurry.Cancel();
        });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hurry.Token);

        if (_heartbeat is not null && ExecuteTask is { IsCompleted: false })
        {
            Log.WorkerStops(log, Running, _options.ShutdownTimeout);
            var grace = _options.ShutdownTimeout / 10; // for jobs to notice that they were cancelled
            if (!await _drain.EndsWithinAsync(_options.ShutdownTimeout - grace, patience.Token))
            {
                Drain(atOnce: true);
                await _drain.EndsWithinAsync(grace, cancellationToken);
            }
        }

        await base.StopAsync(cancellationToken);
        carrier.Close()?.Refuse();
        await HandBackAsync();
        _heartbeat?.Dispose();
        await exchange.DisposeAsync();
        if (events.AreWanted) events.Raise(new WorkerStopped());
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        // Jobs that are ready to end do so first: they wait before this pass in the pool's queue, and one round trip tells them all.
        if (Running > 0) await Task.Yield();

        var carried = carrier.Close();
        try
        {
            return await TurnAsync(carried, stopping);
        }
        finally
        {
            carried?.Refuse(); // if it did not come to that
        }
    }

    private async Task<TimeSpan> TurnAsync(CarriedCall? carried, CancellationToken stopping)
    {
        var turn = _pump.Begin();
        if (turn.Telling.Count > 0)
        {
            carried?.Refuse(); // a caller's mistake must not touch them
            carried = null;
        }

        if (turn.IsFull || _queuesSeen != queues.Count) await RefreshLanesAsync(stopping);

        var request = _pump.Request(turn, Identity) with { Carried = carried };
        if (request.Claim is { } claim) request = request with { Claim = revoked.Tell(claim) };
        if (await ExchangeAsync(request, stopping) is not { } result) return TimeSpan.Zero;
        if (turn.Telling.Exists(outcome => outcome is Outcome.Succeeded { Claim.Followed: true })) FailPoint.Hit(FailPoint.ChordLast);

        var lost = _pump.Heard(turn, request, result);
        news.Told(turn.Telling, result);
        foreach (var job in _pump.GiveUp(turn)) Abandon(job);
        foreach (var job in lost) Stop(job, StopReason.Lost);

        if (result.Promoted > result.Claimed.Claims.Count(claim => claim.Limited)) wakes.LookAgain(); // more than we took: others may
        unknownKinds.Report(result.Claimed.UnknownKinds);
        await StartAsync(request, result, stopping);

        if (_pump.IsDrained) _drain.Empty();
        var rest = _pump.Rest(turn, request, result);
        if (rest > TimeSpan.Zero && request.Claim is not null && _pump.HasRoom && exchange.MayCarry && !stopping.IsCancellationRequested) carrier.Open(Wake);
        return rest;
    }

    private async Task<ExchangeResult?> ExchangeAsync(ExchangeRequest request, CancellationToken stopping)
    {
        try
        {
            return await exchange.RunAsync(request, stopping);
        }
        catch (PostgresException) when (request.Carried is { IsCommitted: false })
        {
            // Its caller's mistake, who is told. The claim beside it was a transaction of its own.
            _pump.Forget();
            return null;
        }
        catch (Exception e)
        {
            var failure = FailureOf(e);
            if (failure == ExchangeFailure.Refused && request.Outcomes.Count > 0 && !_pump.TellsOneByOne) Log.BatchRefused(log, request.Outcomes.Count, e);
            if (failure == ExchangeFailure.HeldUp && _pump.TellsOneByOne && request.Outcomes is [var told]) Log.OutcomeHeldUp(log, told.Claim.Kind, told.Claim.RunId);
            if (_pump.Failed(failure, request.Outcomes, claim => NotStorable(claim, e))) throw;
            return null;
        }
    }

    private static ExchangeFailure FailureOf(Exception e) => e is not PostgresException { SqlState: var state } ? ExchangeFailure.Unknown
        : state.StartsWith("22", StringComparison.Ordinal) ? ExchangeFailure.Refused
        : state is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure ? ExchangeFailure.RolledBack
        : Patience.IsOver(e) ? ExchangeFailure.HeldUp
        : ExchangeFailure.Unknown;

    private static Outcome.Failed NotStorable(Claim claim, Exception e)
    {
        var error = JobErrors.ResultNotStorable(claim.Kind, ((PostgresException)e).MessageText, e);
        return new(claim, JobError.From(error), JobAttemptOutcome.Failed, RetryAfter: null);
    }

    private async Task StartAsync(ExchangeRequest request, ExchangeResult result, CancellationToken stopping)
    {
        if (result.Claimed.Claims is not { Count: > 0 } claims) return;

        Dictionary<long, JobError> mayNotRun;
        try
        {
            mayNotRun = await revoked.AmongAsync(claims, stopping);
        }
        catch
        {
            _pump.Forget();
            throw;
        }

        foreach (var claim in claims)
        {
            if (mayNotRun.TryGetValue(claim.RunId, out var reason)) _pump.Jobs.EndUnstarted(new Outcome.Skipped(claim, reason, IsRevoked: true));
            else Start(claim, request.Claim!.Worker);
        }

        if (mayNotRun.Count > 0) Wake();
        FailPoint.Hit(FailPoint.AfterClaim);
    }

    private void Start(Claim claim, WorkerIdentity worker)
    {
        var job = _pump.Start(claim);
        if (events.AreWanted) events.Raise(new JobStarted(claim.RunId, claim.Kind, claim.Attempt));
        if (Identity != worker) job.Stop(StopReason.Released); // the lease was lost while the answer was on its way

        _ = Task.Run(async () =>
        {
            var outcome = await runner.RunAsync(job, worker);
            if (!_pump.Jobs.End(job, outcome)) Log.AbandonedEnded(log, claim.Kind, claim.RunId, claim.Attempt);
            job.Dispose();
            Wake();
        });
    }

    private void Abandon(RunningJob job)
    {
        var claim = job.Claim;
        _pump.Jobs.Leave(job, runner.Abandoned(job));
        if (events.AreWanted) events.Raise(new JobAbandoned(claim.RunId, claim.Kind, claim.Attempt));
        telemetry.Abandoned.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
        Log.Abandoned(log, claim.Kind, claim.RunId, claim.Attempt, _options.AbandonAfter);
        if (job.Session != 0 && Identity is { } worker) _ = _sessions.EndAsync(job.Session, worker);
        Wake();
    }

    private async Task RefreshLanesAsync(CancellationToken ct)
    {
        var all = await queues.AllAsync(ct);
        var read = _options.Queues.Count > 0 ? [.. all.Where(q => _options.Queues.Contains(q.Name))] : all;
        foreach (var queue in _pump.Lanes.NewlySlotted(read)) await queues.HoldAsync(queue, ct);
        _pump.Lanes.Set(read);
        if (_options.PriorityAging is { } aLevel) _pump.Lanes.Age(await AgeStatement.LevelsAsync(db, _pump.Lanes.Queues, aLevel, ct));
        _queuesSeen = queues.Count;
    }

    private void OnLeaseLost()
    {
        foreach (var job in _pump.Jobs.All) Stop(job, StopReason.Released);
        if (events.AreWanted) events.Raise(new WorkerLeaseLost());
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

        var untold = _pump.Untold();
        if (_pump.HoldsAny) await _drain.HandBackAsync(worker, untold, [.. _pump.Jobs.Claims], _pump.Doubted);
    }
}
