using Keelback.Postgres;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>A worker whose decisions are the engine's own and whose database, threads and jobs are not.</summary>
internal sealed class SimWorker
{
    private static readonly HeartbeatOptions s_heartbeat = new(SimJobs.Options.Heartbeat, SimJobs.Options.Lease);
    private static readonly QueueState[] s_queues = [new(1, "default", false, null, false)];

    private readonly SimStore _store;
    private readonly SimLedger _ledger;
    private readonly SimClock _clock;
    private readonly Bugs _bugs;
    private readonly OutcomeRules _outcomes;
    private readonly List<RunningJob> _abandoned = [];
    private readonly Dictionary<long, (WorkerIdentity Under, DateTimeOffset At)> _starts = [];
    private readonly HashSet<long> _heldUp = [];
    private WorkerIdentity _worker;
    private DateTimeOffset _renewedAt;
    private bool _live;
    private List<Outcome> _again = [];

    public SimWorker(string name, SimStore store, SimLedger ledger, SimClock clock, RetryRules rules, Bugs bugs)
    {
        (Name, _store, _ledger, _clock, _bugs, _outcomes) = (name, store, ledger, clock, bugs, new(rules));
        Pump = new(SimJobs.Options, new(SimJobs.Options, int.MaxValue, clock), "sim", SimJobs.Names, clock);
        Pump.Lanes.Set(s_queues);
        Beat();
    }

    public string Name { get; }

    public Pump Pump { get; }

    /// <summary>The exchange that is under way.</summary>
    public SimExchange? Flight { get; private set; }

    public bool IsFrozen { get; set; }

    public bool IsGone { get; private set; }

    public bool IsActive => !IsFrozen && !IsGone;

    /// <summary>As the heartbeat has it: by the worker's own clock, a while before the lease ends.</summary>
    public WorkerIdentity? Identity => _live && _clock.Now - _renewedAt < s_heartbeat.Lease - s_heartbeat.Margin ? _worker : null;

    public IReadOnlyList<RunningJob> AbandonedJobs => _abandoned;

    public static string ResultOf(long run) => $"r{run}";

    public void Beat()
    {
        FenceIfLate();
        if (_worker.Id == 0) _worker = _store.Register(s_heartbeat.Lease);
        else if (!_store.Renew(_worker, s_heartbeat.Lease))
        {
            Lose();
            _worker = _store.Return(_worker, s_heartbeat.Lease);
        }

        (_live, _renewedAt) = (true, _clock.Now);
    }

    /// <summary>What happens by itself while time goes on: the fence before the lease's end, and jobs' timeouts.</summary>
    public void Tick()
    {
        if (!IsActive) return;
        FenceIfLate();
        if (Pump.Jobs.IsEmpty) return;
        foreach (var job in Pump.Jobs.All)
        {
            if (job.Reason != StopReason.None || !(_clock.Now - _starts[job.Claim.Token].At >= job.Claim.Timeout)) continue;
            job.Stop(StopReason.TimedOut);
            _store.Hit(Transition.StoppedByTimeout);
        }
    }

    private void FenceIfLate()
    {
        if (_live && Identity is null) Lose();
    }

    private void Lose()
    {
        if (!_live) return;
        _live = false;
        foreach (var job in Pump.Jobs.All)
        {
            job.Stop(StopReason.Released);
            _store.Hit(Transition.LeaseLostWithJobs);
        }
    }

    /// <summary>Begins a turn; its request is on the way.</summary>
    public void Ask()
    {
        var turn = Pump.Begin();
        var isDraining = Pump.IsDraining;
        var request = Broken(Pump.Request(turn, Identity));
        SimLedger.Check(!isDraining || request.Claim is null, $"{Name} claims while it stops");
        SimLedger.Check(request.Claim is not null || isDraining || Identity is null || turn.IsAlone || Pump.Jobs.Count >= Pump.Slots.Most,
            $"{Name} asks for nothing while it runs {Pump.Jobs.Count} jobs in {Pump.Slots.Most} slots");
        Flight = new(turn, request);
    }

    // The planted mistakes of a pump.
    private ExchangeRequest Broken(ExchangeRequest request)
    {
        if (_bugs == Bugs.None) return request;

        var outcomes = _bugs.HasFlag(Bugs.ToldTwice) ? [.. request.Outcomes, .. _again] : request.Outcomes;
        _again = [.. request.Outcomes];
        var claim = request.Claim;
        if (_bugs.HasFlag(Bugs.ClaimWhileDraining) && Pump.IsDraining && Identity is { } worker)
            claim = Pump.Lanes.Request(1, full: true, worker, "sim", SimJobs.Names);
        if (_bugs.HasFlag(Bugs.SecondSuspect) && claim is not null) claim = claim with { TakesSuspect = true };
        if (_bugs.HasFlag(Bugs.OneTooMany) && claim is not null) claim = claim with { Limit = claim.Limit + 1 };
        return new()
        {
            Outcomes = outcomes,
            Claim = claim,
            Doubted = _bugs.HasFlag(Bugs.DoubtForgotten) ? [] : request.Doubted,
            Held = request.Held,
            Known = _bugs.HasFlag(Bugs.StrangersKept) ? null : request.Known,
        };
    }

    /// <summary>The request arrives and is committed.</summary>
    public void Commit()
    {
        // By run: an answer does not say which of two attempts of one run, told together, it speaks of.
        var held = Flight!.Request.Outcomes.Where(o => o.Tells && _store.Claims.Exists(c => c.Token == o.Claim.Token)).Select(o => o.Claim.RunId).ToHashSet();
        var result = Flight.Result = _store.Exchange(Flight.Request);
        _ledger.Claimed(_store, Flight.Request, result);
        foreach (var outcome in Flight.Request.Outcomes.Where(o => o.Tells))
        {
            var (claim, wrote) = (outcome.Claim, result.Written.Contains(outcome.Claim.RunId));
            SimLedger.Check(wrote == held.Contains(claim.RunId), $"run {claim.RunId}: token {claim.Token} {(wrote ? "wrote without holding" : "did not write though it holds")} the run");
            if (wrote) _ledger.Wrote(claim);
        }
    }

    /// <summary>The exchange threw.</summary>
    public void Fail(ExchangeFailure failure)
    {
        var flight = Flight!;
        Flight = null;
        if (flight.Turn.IsAlone && failure == ExchangeFailure.Refused) _store.Hit(Transition.RefusedAlone);
        if (flight.Turn.IsAlone && failure == ExchangeFailure.HeldUp)
        {
            _heldUp.Add(flight.Turn.Telling.Single().Claim.Token);
            _store.Hit(Transition.HeldUpAlone);
            if (_bugs.HasFlag(Bugs.HeldUpDropped))
            {
                Pump.Heard(flight.Turn, new() { Outcomes = [] }, new());
                return;
            }
        }

        Pump.Failed(failure, flight.Request.Outcomes,
            claim => new Outcome.Failed(claim, SimJobs.Late, JobAttemptOutcome.Failed, RetryAfter: null));
        if (!_bugs.HasFlag(Bugs.OutcomeDropped) || failure != ExchangeFailure.Unknown) return;
        Pump.Heard(flight.Turn, new() { Outcomes = [] }, new());
        Pump.Forget();
    }

    /// <summary>The answer arrives.</summary>
    public List<Claim> Hear(Func<Claim, bool> isRevoked, bool forgets)
    {
        var (flight, result) = (Flight!, Flight!.Result!);
        Flight = null;
        var lost = Pump.Heard(flight.Turn, flight.Request, result);
        _ledger.Told(flight.Request.Outcomes);
        if (_heldUp.Overlaps(flight.Request.Outcomes.Select(o => o.Claim.Token))) _store.Hit(Transition.HeldUpTold);
        _ledger.Heard(_store, flight.Request.Outcomes, result);
        foreach (var job in Pump.GiveUp(flight.Turn)) Abandon(job);
        foreach (var job in lost)
        {
            job.Stop(StopReason.Lost);
            _store.Hit(Transition.StoppedAsLost);
        }

        if (forgets && result.Claimed.Claims.Count > 0)
        {
            Pump.Forget();
            _store.Hit(Transition.ClaimForgotten);
            return [];
        }

        foreach (var claim in result.Claimed.Claims)
        {
            if (isRevoked(claim))
            {
                _ledger.MustTell(claim);
                Pump.Jobs.EndUnstarted(new Outcome.Skipped(claim, SimJobs.Revoked, IsRevoked: true));
            }
            else if (System.Text.Encoding.UTF8.GetString(claim.Input) == SimStore.OpenAbove)
            {
                _store.Hit(Transition.PutOffUntilMembersEnd);
                _ledger.MustTell(claim);
                Pump.Jobs.EndUnstarted(new Outcome.Snoozed(claim, TimeSpan.FromSeconds(5)));
            }
            else
            {
                Start(claim, flight.Request.Claim!.Worker);
            }
        }

        SimLedger.Check(Pump.Jobs.Count <= Pump.Slots.Most, $"{Name} runs {Pump.Jobs.Count} jobs in {Pump.Slots.Most} slots");
        SimLedger.Check(Pump.Rest(flight.Turn, flight.Request, result) >= TimeSpan.Zero, $"{Name} rests for a negative time");
        return result.Claimed.Claims;
    }

    private void Start(Claim claim, WorkerIdentity worker)
    {
        var job = Pump.Start(claim);
        _starts[claim.Token] = (worker, _clock.Now);
        if (job.Reason == StopReason.Released) _store.Hit(Transition.AnswerToStoppedAtOnce);
        if (Identity == worker || _bugs.HasFlag(Bugs.StartsWithoutLease)) return;
        job.Stop(StopReason.Released);
        _store.Hit(Transition.AnswerAfterLeaseLost);
    }

    private void Abandon(RunningJob job)
    {
        _abandoned.Add(job);
        _store.Hit(Transition.Abandoned);
        _ledger.MustTell(job.Claim);
        Pump.Jobs.Leave(job, _outcomes.AfterThrowing(job.Claim, job.Reason, SimJobs.TooLate));
    }

    /// <summary>A job's method returned.</summary>
    public void Succeed(RunningJob job, bool inTransaction)
    {
        if (job.Reason != StopReason.None) _store.Hit(Transition.CancellationIgnored);
        var done = new Outcome.Succeeded(job.Claim, System.Text.Encoding.UTF8.GetBytes(ResultOf(job.Claim.RunId)));
        if (!inTransaction)
        {
            End(job, done);
            return;
        }

        // A sweep ends the session before it hands a run back, so that its transaction never commits after.
        var holds = _store.Claims.Exists(c => c.Token == job.Claim.Token);
        var isWritten = _store.CompleteInTransaction(done);
        SimLedger.Check(holds == isWritten, $"run {job.Claim.RunId}: a transaction of token {job.Claim.Token} {(isWritten ? "wrote without holding" : "did not write though it holds")} the run");
        End(job, isWritten ? new Outcome.Settled(job.Claim, []) : new Outcome.Released(job.Claim));
    }

    /// <summary>A job's method threw, or saw its token.</summary>
    public void Throw(RunningJob job, Exception e) => End(job, _outcomes.AfterThrowing(job.Claim, job.Reason, e));

    private void End(RunningJob job, Outcome outcome)
    {
        if (Pump.Jobs.End(job, outcome))
        {
            _ledger.MustTell(job.Claim);
        }
        else
        {
            _abandoned.Remove(job);
            _store.Hit(Transition.AbandonedEnded);
        }

        job.Dispose();
    }

    /// <summary>Whether a job that nobody stops may come to its end by now.</summary>
    public bool IsDone(RunningJob job) => _clock.Now - _starts[job.Claim.Token].At >= _store.Run(job.Claim.RunId).Call.Takes;

    /// <summary>A job takes it down.</summary>
    public void KillBy(RunningJob job)
    {
        _store.Hit(Transition.WorkerKilledByJob);
        if (_store.Claims.Find(claim => claim.Token == job.Claim.Token) is { } held) _ledger.Killed(new(held.Worker, held.Epoch), held.Run);
        Kill();
    }

    /// <summary>Nothing of it is left but its row.</summary>
    public void Kill()
    {
        if (Pump.Jobs.Count > 0) _store.Hit(Transition.WorkerKilledWithJobs);
        Forgive();
        IsGone = true;
    }

    /// <summary>The end of a stop: whatever is left is told or handed back.</summary>
    public void Leave()
    {
        if (Flight is not null) Fail(ExchangeFailure.Unknown);
        var untold = Pump.Untold();
        if (Identity is { } worker)
        {
            if (Pump.HoldsAny)
            {
                _store.Hit(Transition.HandedBackAtStop);
                foreach (var outcome in untold)
                    _ledger.Heard(_store, [outcome], _store.Exchange(new() { Outcomes = [outcome], Doubted = Pump.Doubted.Contains(outcome) ? [outcome] : [] }));
                _store.Exchange(new() { Outcomes = [.. Pump.Jobs.Claims.Select(claim => new Outcome.Released(claim))] });
                _store.Exchange(new() { Outcomes = [], Known = (worker, []) });
            }

            SimLedger.Check(!_store.Claims.Exists(c => c.Worker == worker.Id && c.Epoch == worker.Epoch), $"{Name} left with claims: {string.Join(", ", _store.Claims)}");
        }

        _store.Leave(_worker);
        Forgive();
        IsGone = true;
    }

    /// <summary>Whoever runs a job, and was not told to stop it, holds the lease under which it was claimed.</summary>
    public void Check()
    {
        if (!IsActive || Pump.Jobs.IsEmpty) return;
        var identity = Identity;
        foreach (var job in Pump.Jobs.All)
            SimLedger.Check(job.Reason != StopReason.None || identity == _starts[job.Claim.Token].Under,
                $"{Name} runs run {job.Claim.RunId}, claimed under {_starts[job.Claim.Token].Under}, and holds {identity}");
    }

    private void Forgive() => _ledger.NeedNotTell(
        Pump.Untold().Select(o => o.Claim).Concat(Pump.Jobs.Claims).Concat(Flight?.Request.Outcomes.Select(o => o.Claim) ?? []));
}

/// <summary>A turn between its request and its answer.</summary>
internal sealed record SimExchange(Turn Turn, ExchangeRequest Request)
{
    /// <summary>Null: not committed yet.</summary>
    public ExchangeResult? Result { get; set; }
}
