using Keelback.Postgres;

namespace Keelback.Jobs.Tests.Simulation;

/// <content>Who may start, and what time and death do to those that run.</content>
internal sealed partial class SimStore
{
    /// <summary>What a deadline leaves an attempt beside its timeout until the database takes its run away.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(5);

    /// <summary>The input of a run whose attempt is put off.</summary>
    public const string OpenAbove = "false";

    private void Claim(ClaimRequest wanted, ClaimResult result)
    {
        if (!IsAlive(wanted.Worker) && !bugs.HasFlag(Bugs.ClaimWithoutLease))
        {
            Hit(Transition.ClaimWithoutLease);
            return;
        }

        if (Ready.Count == 0) return;
        var found = Ready.Where(row => row.Seq > MarkOf(row.Run.Call.Priority) && (wanted.TakesSuspect || !row.IsSuspect)).OrderBy(row => row.Run.Call.Priority).ThenBy(row => row.Seq).Take(wanted.Limit).ToList();
        long MarkOf(int priority) => wanted.Marks[Array.IndexOf(wanted.Priorities, (short)priority)];

        var taken = found.FindAll(row => !row.IsSuspect || row == found.Find(other => other.IsSuspect) || bugs.HasFlag(Bugs.SuspectsTogether));
        if (taken.Count < found.Count) Hit(Transition.ReadyKeptApart);
        foreach (var row in taken)
        {
            Ready.Remove(row);
            result.Seen.Add(new(1, (short)row.Run.Call.Priority, row.Seq, null));
        }

        var isRevoked = wanted.RevokedKinds.Length > 0;
        if (!bugs.HasFlag(Bugs.LateStart) && !isRevoked) Expire([.. taken.Where(row => row.Attempt == 0).Select(row => row.Run)], Transition.ReadyExpired);
        var refused = new List<ReadyRow>();
        foreach (var row in taken)
        {
            if (!row.Run.IsOpen) Hit(Transition.ReadyDroppedAsEnded);
            else if (!isRevoked && row.Run.Call.Limit is { } limit && Room(limit) <= 0 && !bugs.HasFlag(Bugs.NoLimit)) refused.Add(row);
            else result.Claims.Add(Start(row, wanted.Worker, isRevoked));
        }

        Park(refused);
    }

    /// <summary>Also what comes next in their lanes and needs what refused them.</summary>
    private void Park(List<ReadyRow> refused)
    {
        if (refused.Count == 0) return;

        Parked.AddRange(refused);
        Hit(Transition.ReadyParked);
        foreach (var lane in refused.GroupBy(row => row.Run.Call.Priority))
        {
            var last = lane.Max(row => row.Seq);
            if (last < 0) continue;

            foreach (var row in Ready.FindAll(row => row.Run.Call.Priority == lane.Key && row.Seq > last && row.Run.IsOpen
                && row.Run.Call.Limit is { } limit && refused.Exists(other => other.Run.Call.Limit == limit)))
            {
                Ready.Remove(row);
                Parked.Add(row);
                Hit(Transition.ReadyParkedAhead);
            }
        }
    }

    private Claim Start(ReadyRow row, WorkerIdentity worker, bool isRevoked)
    {
        var (run, token) = (row.Run, ++_tokens);
        Claims.Add(new(run, token, worker.Id, worker.Epoch, row.Attempt + 1, row.Crashes, clock.Now));
        Hit(Transition.ReadyClaimed);
        if (run.Call.Timeout is { } timeout) Timers.Add(new(clock.Now + timeout + s_grace, run, TimerWhat.Deadline, row.Attempt + 1, 0));
        if (run.Call.Limit is { } limit && !isRevoked)
        {
            Slots.RemoveAll(slot => slot.Limit == limit && !Holds(slot.Token));
            Slots.Add((limit, token, run));
        }

        return new(run.Id, token, row.Attempt + 1, row.Crashes, SimJobs.Kind.Name, System.Text.Encoding.UTF8.GetBytes(Input(run)))
        {
            MaxAttempts = run.MaxAttempts,
            BaseAttempt = run.BaseAttempt,
            Timeout = run.Call.Timeout,
            Followed = run.Followed,
            Queue = 1,
            Limited = !isRevoked && (run.Call.Limit is not null || run.Call.ExpiresAfter is not null),
            IsRevoked = isRevoked,
            DueAt = run.DueAt,
        };
    }

    /// <summary>The results of those that it waited for, in their order; or that one of them is open again.</summary>
    private static string Input(SimRun run) => run.Above.Exists(edge => edge.Up.IsOpen) ? OpenAbove : string.Join(' ', run.Above.Select(edge => edge.Rule == JobEdgeRule.Failure ? "-" : edge.Up.Output ?? "-"));

    public bool IsAlive(WorkerIdentity worker) =>
        Workers.TryGetValue(worker.Id, out var row) && row.Epoch == worker.Epoch && row.Until > clock.Now;

    private bool Holds(long token) => Claims.Exists(c => c.Token == token);

    private int Room(string limit) => (SlotsOf(limit) ?? int.MaxValue) - Slots.Count(slot => slot.Limit == limit && Holds(slot.Token));

    /// <summary>Every key once.</summary>
    public int Promote() => Promote([.. Parked.Select(row => row.Run.Call.Limit!).Distinct()]);

    private int Promote(IReadOnlyList<string> limits)
    {
        var promoted = 0;
        foreach (var limit in limits)
        {
            var rows = Parked.Where(row => row.Run.Call.Limit == limit).OrderBy(row => row.Run.Call.Priority).ThenBy(row => row.Seq);
            foreach (var row in rows.Take(Math.Max(0, Room(limit))).ToList())
            {
                Parked.Remove(row);
                if (!row.Run.IsOpen) continue;
                Ready.Add(row with { Seq = row.Run.Id + Front });
                Hit(Transition.ParkedPromoted);
                promoted++;
            }
        }

        return promoted;
    }

    /// <summary>Ends those that nobody has started and whose time is over.</summary>
    private void Expire(IReadOnlyList<SimRun> runs, Transition transition)
    {
        var over = runs.Where(run => run.IsOpen && run.ExpiresAt <= clock.Now && run.LastFailure == 0 && !run.WasStarted && !Claims.Exists(c => c.Run == run)).ToList();
        foreach (var run in over)
        {
            End(run, JobRunState.Expired, null);
            Hit(Waiting.RemoveAll(row => row.Run == run) > 0 ? Transition.WaitExpired
                : Parked.RemoveAll(row => row.Run == run) > 0 ? Transition.ParkedExpired
                : transition);
        }

        Settle(over);
    }

    public WorkerIdentity Register(TimeSpan lease)
    {
        var worker = new WorkerIdentity(++_workers, 1);
        Workers[worker.Id] = (worker.Epoch, clock.Now + lease, clock.Now);
        return worker;
    }

    public bool Renew(WorkerIdentity worker, TimeSpan lease)
    {
        if (!Workers.TryGetValue(worker.Id, out var row) || row.Epoch != worker.Epoch) return false;
        Workers[worker.Id] = row with { Until = clock.Now + lease, RenewedAt = clock.Now };
        return true;
    }

    public WorkerIdentity Return(WorkerIdentity worker, TimeSpan lease)
    {
        var epoch = Workers.TryGetValue(worker.Id, out var row) ? row.Epoch + 1 : worker.Epoch + 1;
        Workers[worker.Id] = (epoch, clock.Now + lease, clock.Now);
        return worker with { Epoch = epoch };
    }

    public void Leave(WorkerIdentity worker)
    {
        if (Workers.TryGetValue(worker.Id, out var row) && row.Epoch == worker.Epoch) Workers.Remove(worker.Id);
    }

    /// <summary>Takes workers whose lease has ended off the list, and gives back what nobody on the list holds.</summary>
    public void Sweep(int crashLimit)
    {
        foreach (var (id, _) in Workers.Where(worker => worker.Value.Until <= clock.Now).ToList()) Workers.Remove(id);

        foreach (var claim in Claims.FindAll(IsOrphan))
        {
            Claims.Remove(claim);
            if (!claim.Run.IsOpen) continue;

            var crashes = claim.Crashes + (bugs.HasFlag(Bugs.CrashForgotten) ? 0 : 1);
            claim.Run.LastFailure = Math.Max(claim.Run.LastFailure, claim.Attempt);
            Ledger?.Swept(this, claim);
            if (crashes >= crashLimit)
            {
                Hit(Transition.ClaimedQuarantined);
                End(claim.Run, JobRunState.Quarantined, claim.Attempt);
                Settle([claim.Run]);
            }
            else if (crashes == 1)
            {
                Hit(Transition.ClaimedSweptReady);
                Ready.Add(new(claim.Run, claim.Run.Id + Front, claim.Attempt, crashes));
            }
            else if (!bugs.HasFlag(Bugs.SweepLosesRun))
            {
                Hit(Transition.ClaimedSweptTimer);
                Timers.Add(new(clock.Now + random.NextDouble() * TimeSpan.FromSeconds(1), claim.Run, TimerWhat.Ready, claim.Attempt, crashes));
            }
        }
    }

    private bool IsOrphan(ClaimRow claim) => bugs.HasFlag(Bugs.RecoveryByElapsedTime)
        ? clock.Now - claim.At > TimeSpan.FromSeconds(15)
        : !Workers.TryGetValue(claim.Worker, out var row) || row.Epoch != claim.Epoch;

    /// <summary>Every timer that is due.</summary>
    public void FireTimers(RetryRules rules)
    {
        var due = Timers.Where(timer => timer.At <= clock.Now && !IsOfSilent(timer)).OrderBy(timer => timer.At).ToList();
        foreach (var timer in due) Timers.Remove(timer);

        // Expiry comes first, and what it ends is still open to the rest of its statement.
        var ready = due.Where(timer => timer.What == TimerWhat.Ready).ToLookup(timer => timer.Run.IsOpen);
        Expire([.. due.Where(timer => timer.What == TimerWhat.Expiry).Select(timer => timer.Run)], Transition.TimerExpired);
        if (ready[false].Any()) Hit(Transition.TimerDroppedAsEnded);
        foreach (var timer in ready[true])
        {
            Hit(timer.Crashes == 0 ? Transition.TimerReady : Transition.TimerReadyAfterCrash);
            Ready.Add(new(timer.Run, timer.Crashes == 0 ? ++_seq : timer.Run.Id + Front, timer.Attempt, timer.Crashes));
        }

        foreach (var timer in due.Where(timer => timer.What == TimerWhat.Deadline)) CallTime(timer, rules);
    }

    // The deadline of an attempt whose worker has not renewed its lease since it should have given it up.
    private bool IsOfSilent(TimerRow timer)
    {
        if (timer.What != TimerWhat.Deadline || bugs.HasFlag(Bugs.DeadlineOfTheDead)) return false;
        if (Claims.Find(claim => claim.Run == timer.Run && claim.Attempt == timer.Attempt) is not { } held) return false;
        return !(Workers.TryGetValue(held.Worker, out var row) && row.Epoch == held.Epoch && row.RenewedAt >= timer.At - TimeSpan.FromSeconds(1));
    }

    private void CallTime(TimerRow timer, RetryRules rules)
    {
        var late = Claims.Find(claim => claim.Run == timer.Run && (bugs.HasFlag(Bugs.TimerWithoutAttempt)
            || claim.Attempt == timer.Attempt && timer.At >= claim.At + timer.Run.Call.Timeout + s_grace - TimeSpan.FromSeconds(1)));
        if (late is null)
        {
            Hit(Transition.DeadlineStale);
            return;
        }

        Hit(Transition.ClaimedTimedOutByTimer);
        var claim = new Claim(timer.Run.Id, late.Token, late.Attempt, late.Crashes, SimJobs.Kind.Name, [])
        {
            MaxAttempts = timer.Run.MaxAttempts,
            BaseAttempt = timer.Run.BaseAttempt,
        };
        Fail(new(claim, SimJobs.Late, JobAttemptOutcome.TimedOut, rules.After(claim, SimJobs.TooLate)), new());
    }
}
