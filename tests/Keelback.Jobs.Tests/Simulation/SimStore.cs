using Keelback.Postgres;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>What the engine's statements do, told a second time: one method a statement, one list a table, one thread.</summary>
internal sealed partial class SimStore(SimClock clock, Random random, Bugs bugs = Bugs.None)
{
    // A number below every other's: what had its turn goes before what waits.
    private const long Front = -1L << 40;

    private readonly Dictionary<string, int> _slotsOf = [];
    private long _seq;
    private long _tokens;
    private int _workers;

    public List<SimRun> Runs { get; } = [];

    public List<ReadyRow> Ready { get; } = [];

    public List<ReadyRow> Parked { get; } = [];

    public List<TimerRow> Timers { get; } = [];

    public List<WaitRow> Waiting { get; } = [];

    public List<ClaimRow> Claims { get; } = [];

    /// <summary>Who holds a slot of a limit: a claim, as long as it is there.</summary>
    public List<(string Limit, long Token, SimRun Run)> Slots { get; } = [];

    public Dictionary<int, (long Epoch, DateTimeOffset Until, DateTimeOffset RenewedAt)> Workers { get; } = [];

    /// <summary>What happened so far.</summary>
    public bool[] Hits { get; init; } = new bool[Enum.GetValues<Transition>().Length];

    /// <summary>Sees every end, and whatever takes a claim away.</summary>
    public SimLedger? Ledger { get; init; }

    public SimRun Run(long id) => Runs[(int)id - 1];

    public void Limit(string key, int slots) => _slotsOf[key] = slots;

    public int? SlotsOf(string key) => _slotsOf.TryGetValue(key, out var slots) ? slots : null;

    public void Hit(Transition transition) => Hits[(int)transition] = true;

    /// <summary>A graph, or one run.</summary>
    public List<SimRun> Enqueue(params IReadOnlyList<SimCall> calls)
    {
        var graph = new List<SimRun>();
        var over = new List<SimRun>();
        foreach (var call in calls)
        {
            var run = new SimRun(Runs.Count + 1, call);
            Runs.Add(run);
            graph.Add(run);
            Ledger?.Opened(run);
            foreach (var (place, rule) in call.Ups)
            {
                var up = place < 0 ? graph[(int)(-place - 1)] : Run(place);
                if (place > 0)
                {
                    Hit(up.IsOpen ? Transition.JoinedOpen : Transition.JoinedEnded);
                    up.Settles = true;
                    if (!up.IsOpen) over.Add(up);
                }

                var edge = new SimEdge(up, run, rule);
                up.Below.Add(edge);
                run.Above.Add(edge);
                up.Followed = true;
                up.Settles |= rule == JobEdgeRule.Failure;
            }

            Stand(run);
        }

        if (graph.Count > 1)
            foreach (var run in graph) run.Root = graph[^1];
        Settle(over);
        return graph;
    }

    private void Stand(SimRun run)
    {
        var call = run.Call;
        run.DueAt = clock.Now + call.Delay;
        if (call.ExpiresAfter is { } time)
        {
            run.ExpiresAt = (run.DueAt ?? clock.Now) + time;
            Timers.Add(new(run.ExpiresAt.Value, run, TimerWhat.Expiry, 0, 0));
        }

        if (call.Ups.Count > 0)
        {
            Waiting.Add(new(run, 0) { Pending = run.Above.Count });
            Hit(Transition.EnqueuedWait);
        }
        else if (run.DueAt is { } due)
        {
            Timers.Add(new(due, run, TimerWhat.Ready, 0, 0));
            Hit(Transition.EnqueuedTimer);
        }
        else
        {
            Ready.Add(new(run, ++_seq, 0, 0));
            Hit(Transition.EnqueuedReady);
        }
    }

    /// <summary>One exchange, which is one transaction.</summary>
    public ExchangeResult Exchange(ExchangeRequest request)
    {
        var result = new ExchangeResult();
        if (request.Outcomes.Count > 0) Write(request.Outcomes, result);
        result.WrittenBefore.UnionWith(request.Doubted.Where(Has).Select(o => o.Claim.RunId));
        if (request.Known is { } known) ReleaseStrangers(known.Worker, known.Tokens);
        if (request.Outcomes.Any(o => o.Claim.Limited))
            result.Promoted = Promote([.. Slots.Where(s => request.Outcomes.Any(o => o.Claim.Limited && o.Claim.RunId == s.Run.Id)).Select(s => s.Limit).Distinct()]);
        if (request.Held.Count > 0)
            result.Lost = [.. request.Held.Where(held => !Claims.Exists(c => c.Run.Id == held.RunId && c.Token == held.Token)).Select(held => held.Token)];
        if (request.Claim is { } wanted) Claim(wanted, result.Claimed);
        return result;
    }

    /// <summary>Whether the run has the outcome, whoever told of it. A snooze leaves no mark.</summary>
    public bool Has(Outcome outcome)
    {
        var (run, attempt) = (Run(outcome.Claim.RunId), outcome.Claim.Attempt);
        return outcome switch
        {
            Outcome.Failed failed => run.Failures.Contains((attempt, failed.Kind)),
            Outcome.Succeeded => run.State == JobRunState.Succeeded && run.Attempt == attempt,
            Outcome.Skipped { IsRevoked: true } => run.State == JobRunState.Cancelled && run.Attempt == attempt,
            Outcome.Skipped => run.State == JobRunState.Skipped && run.Attempt == attempt,
            _ => false,
        };
    }

    private void Write(IReadOnlyList<Outcome> outcomes, ExchangeResult result)
    {
        foreach (var followed in new[] { false, true })
            Complete([.. outcomes.OfType<Outcome.Succeeded>().Where(o => o.Claim.Followed == followed).OrderBy(o => o.Claim.RunId)], followed, result);
        foreach (var failed in outcomes.OfType<Outcome.Failed>()) Fail(failed, result);
        foreach (var snoozed in outcomes.OfType<Outcome.Snoozed>()) Snooze(snoozed, result);
        foreach (var skipped in outcomes.OfType<Outcome.Skipped>()) Skip(skipped, result);
        foreach (var released in outcomes.OfType<Outcome.Released>()) Release(released);
    }

    /// <summary>Takes a claim away that is held under this token. Null: somebody else has it, or nobody.</summary>
    private ClaimRow? Take(Claim held)
    {
        var i = Claims.FindIndex(c => c.Run.Id == held.RunId && (c.Token == held.Token || bugs.HasFlag(Bugs.NoToken)));
        if (i < 0) return null;

        var claim = Claims[i];
        Claims.RemoveAt(i);
        return claim;
    }

    /// <summary>A completion inside of a job's own transaction.</summary>
    public bool CompleteInTransaction(Outcome.Succeeded done)
    {
        var result = new ExchangeResult();
        Complete([done], done.Claim.Followed, result);
        var isWritten = result.Written.Contains(done.Claim.RunId);
        Hit(isWritten ? Transition.ClaimedSucceededInTransaction : Transition.TransactionFenced);
        return isWritten;
    }

    private void Complete(List<Outcome.Succeeded> done, bool followed, ExchangeResult result)
    {
        var ended = new List<SimRun>();
        foreach (var outcome in done)
        {
            if (Take(outcome.Claim) is not { } claim || !claim.Run.IsOpen)
            {
                Hit(Transition.SuccessFenced);
                continue;
            }

            claim.Run.Output = outcome.Result.IsEmpty ? null : System.Text.Encoding.UTF8.GetString(outcome.Result.Span);
            End(claim.Run, JobRunState.Succeeded, claim.Attempt);
            Hit(Transition.ClaimedSucceeded);
            ended.Add(claim.Run);
            result.Written.Add(claim.Run.Id);
        }

        if (ended.Exists(run => run.Settles))
        {
            foreach (var below in Settle([.. ended.Where(run => run.Followed)])) result.Written.Add(below.Id);
            return;
        }

        if (!followed) return;
        foreach (var down in Flip(ended, Transition.EdgeFlippedFast).GroupBy(edge => edge.Down).OrderBy(downs => downs.Key.Id))
            CountDown(down.Key, down.Count());
    }

    private void Fail(Outcome.Failed failed, ExchangeResult result)
    {
        if (Take(failed.Claim) is not { } claim)
        {
            Hit(Transition.FailureFenced);
            return;
        }

        result.Written.Add(claim.Run.Id);
        claim.Run.LastFailure = Math.Max(claim.Run.LastFailure, claim.Attempt);
        claim.Run.Failures.Add((claim.Attempt, failed.Kind));
        Ledger?.Spent(claim, failed.Kind);
        if (failed.Kind == JobAttemptOutcome.TimedOut) Hit(Transition.ClaimedTimedOut);
        if (failed.RetryAfter is { } delay)
        {
            Hit(Transition.ClaimedRetried);
            Timers.Add(new(clock.Now + delay, claim.Run, TimerWhat.Ready, claim.Attempt, claim.Crashes));
        }
        else if (claim.Run.IsOpen)
        {
            Hit(Transition.ClaimedFailed);
            End(claim.Run, JobRunState.Failed, claim.Attempt);
            foreach (var below in Settle([claim.Run])) result.Written.Add(below.Id);
        }
    }

    private void Snooze(Outcome.Snoozed snoozed, ExchangeResult result)
    {
        if (Take(snoozed.Claim) is not { } claim)
        {
            Hit(Transition.SnoozeFenced);
            return;
        }

        Hit(Transition.ClaimedSnoozed);
        claim.Run.WasStarted = true;
        result.Written.Add(claim.Run.Id);
        Timers.Add(new(clock.Now + snoozed.Delay, claim.Run, TimerWhat.Ready, claim.Attempt - 1, claim.Crashes));
    }

    private void Skip(Outcome.Skipped skipped, ExchangeResult result)
    {
        if (Take(skipped.Claim) is not { } claim)
        {
            Hit(Transition.SkipFenced);
            return;
        }

        Hit(skipped.IsRevoked ? Transition.ClaimedRevoked : Transition.ClaimedSkipped);
        result.Written.Add(claim.Run.Id);
        End(claim.Run, skipped.IsRevoked ? JobRunState.Cancelled : JobRunState.Skipped, claim.Attempt);
        foreach (var below in Settle([claim.Run])) result.Written.Add(below.Id);
    }

    private void Release(Outcome.Released released)
    {
        if (Take(released.Claim) is not { } claim)
        {
            Hit(Transition.ReleaseFenced);
            return;
        }

        Hit(Transition.ClaimedReleased);
        claim.Run.WasStarted = true;
        HandBack(claim);
    }

    private void HandBack(ClaimRow claim)
    {
        if (!claim.Run.IsOpen) return;
        Ready.Add(new(claim.Run, ++_seq, claim.Attempt - (bugs.HasFlag(Bugs.ReleaseSpendsAttempt) ? 0 : 1), claim.Crashes));
    }

    private void ReleaseStrangers(WorkerIdentity worker, long[] known)
    {
        foreach (var claim in Claims.FindAll(c => c.Worker == worker.Id && c.Epoch == worker.Epoch && !known.Contains(c.Token)))
        {
            Claims.Remove(claim);
            Hit(Transition.ClaimedReleasedAsStranger);
            HandBack(claim);
        }
    }

    private void End(SimRun run, JobRunState state, int? attempt)
    {
        Ledger?.Ended(run, state);
        (run.State, run.Attempt) = (state, attempt);
    }
}
