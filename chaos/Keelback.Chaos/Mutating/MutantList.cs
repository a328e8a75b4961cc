namespace Keelback.Chaos;

/// <summary>The planted bugs: most have been shipped, by one trusted queue or another.</summary>
internal static class MutantList
{
    public static readonly IReadOnlyList<Mutant> All =
    [
        // Fencing
        new("complete-without-token", "Keelback.Jobs/Store/CompleteStatement.cs",
            "c.run_id = f.id and c.token = f.token", "c.run_id = f.id and f.token > 0", "tests: FencingTests"),
        new("fail-without-token", "Keelback.Jobs/Store/FailStatement.cs",
            "c.run_id = f.id and c.token = f.token", "c.run_id = f.id and f.token > 0", "tests: FencingTests"),
        new("release-without-token", "Keelback.Jobs/Store/ReleaseStatement.cs",
            "f (id, token) where c.run_id = f.id and c.token = f.token", "f (id, token) where c.run_id = f.id and f.token > 0", "tests: FencingTests"),
        new("commit-without-completion", "Keelback.Jobs/Workers/TransactionalAttempt.cs",
            "if (done is null)", "done ??= new Outcome.Settled(claim, []);\n        if (done is null)", "tests: TransactionalTests"),
        new("claim-without-lease", "Keelback.Jobs/Store/ClaimStatement.cs",
            "exists (select from keelback.worker where id = $5 and epoch = $6 and lease_until > keelback.clock())", "$5 > 0 and $6 > 0", "tests: FencingTests"),
        new("complete-what-was-cancelled", "Keelback.Jobs/Store/CompleteStatement.cs",
            "from d where r.id = d.run_id and r.state = 0", "from d where r.id = d.run_id", "tests: FencingTests"),
        new("cancel-leaves-the-claim", "Keelback.Jobs/Schema/0015_opened_again.sql",
            "delete from keelback.claim where run_id = any(mine);", "delete from keelback.claim where run_id = any(mine) and run_id < 0;", "tests: TransactionalTests"),

        // Recovery
        new("recovery-by-elapsed-time", "Keelback.Jobs/Store/SweepStatement.cs",
            "not exists (select from keelback.worker w where w.id = c.worker_id and w.epoch = c.epoch)", "c.at < keelback.clock() - interval '5 s'",
            "tests: FencingTests"),
        new("sweep-without-epoch", "Keelback.Jobs/Store/SweepStatement.cs",
            "w.id = c.worker_id and w.epoch = c.epoch", "w.id = c.worker_id", "tests: CrashTests|FencingTests"),
        new("sweep-only-at-start", "Keelback.Jobs/Maintenance/JobRescuer.cs",
            "? TimeSpan.Zero : s_interval;", "? TimeSpan.Zero : TimeSpan.FromHours(1);",
            "tests: FrozenWorkerTests"),
        new("sweep-leaves-sessions", "Keelback.Jobs/Maintenance/JobRescuer.cs",
            "? await workers.TerminateAsync(ct) : 0", "? 0 : 0", "tests: FrozenWorkerTests|FencingTests"),
        new("crash-is-not-counted", "Keelback.Jobs/Store/SweepStatement.cs",
            "c.crashes + 1 as crashes", "c.crashes as crashes", "tests: CrashTests"),
        new("suspects-share-a-worker", "Keelback.Jobs/Workers/Pump.cs",
            "TakesSuspect = !hasSuspect", "TakesSuspect = !hasSuspect || free > 0", "tests: CrashTests|PumpTests"),
        new("suspects-are-taken-together", "Keelback.Jobs/Store/ClaimStatement.cs",
            "not suspect or nth = 1", "not suspect or nth >= 1", "tests: CrashTests"),
        new("lease-storm-after-a-jump", "Keelback.Jobs/Maintenance/JobRescuer.cs",
            "if (jump > s_jump", "if (jump > TimeSpan.MaxValue", "tests: CrashTests|FencingTests"),
        new("handed-back-without-its-attempt", "Keelback.Jobs/Store/ReleaseStatement.cs",
            "d.run_id, d.attempt - 1, d.crashes", "d.run_id, d.attempt, d.crashes", "tests: WorkerTests"),
        new("strangers-stay-claimed", "Keelback.Jobs/Workers/Exchange.cs",
            "if (request.Known is { } known)", "if (request.Known is { Tokens: null } known)", "tests: WorkerTests|FencingTests|CrashTests"),
        new("claim-dropped-with-a-bad-call", "Keelback.Jobs/Workers/Worker.cs",
            "            _pump.Forget();\n            return null;", "            return null;", "tests: CarriedCallTests"),
        new("outcome-dropped-with-the-answer", "Keelback.Jobs/Workers/Pump.cs",
            "_doubted.UnionWith(told);", "_untold.Told(told.Count);", "tests: SimulationTests|PumpTests"),
        new("held-up-outcome-dropped", "Keelback.Jobs/Workers/Untold.cs",
            "_heldUp.Add(outcome);", "outcome.ToString();", "tests: SimulationTests|PumpTests"),
        new("lock-holds-up-the-worker", "Keelback.Jobs/Workers/Pump.cs",
            "LockTimeout = turn.IsAlone ? Patience.Alone : Patience.Usual", "LockTimeout = turn.IsAlone ? Patience.Alone : null", "tests: WorkerTests"),
        new("pause-is-not-asked-for", "Keelback.Jobs/Store/ClaimStatement.cs",
            "where abs(lane.queue) <> all(", "where 0 <> all(", "tests: QueueTests"),
        new("epoch-does-not-rise", "Keelback.Postgres/Workers/WorkerRegistry.cs",
            "values ($1, $2 + 1,", "values ($1, $2,", "tests: FencingTests|FrozenWorkerTests"),
        new("lease-not-fenced-by-own-clock", "Keelback.Postgres/Workers/Heartbeat.cs",
            "if (_live && Current is null) Lose();", "if (_live && Current is null && _stopping) Lose();", "tests: FencingTests"),

        // Graphs
        new("decrement-without-flipping", "Keelback.Jobs/Store/CompleteStatement.cs",
            "update keelback.edge set done = true from u where up = u.id and not done and not exists (select from u where settles) returning down",
            "select down from keelback.edge join u on up = u.id where not exists (select from u where settles)", "tests: GraphTests"),
        new("body-before-its-last-member", "Keelback.Jobs/Store/CompleteStatement.cs",
            "where wait.run_id = l.run_id and l.pending = l.done", "where wait.run_id = l.run_id and l.pending <= l.done + 1", "tests: GraphTests"),

        new("failure-leaves-them-waiting", "Keelback.Jobs/Store/FailStatement.cs",
            "as below where exists (select from u where followed)", "as below where exists (select from u where followed and id < 0)", "tests: GraphTests"),

        // Limits and schedules
        new("slot-not-counted", "Keelback.Jobs/Schema/0013_rates.sql",
            "select r.slots - count(*) into room", "select r.slots - 0 * count(*) into room", "tests: SlotTests"),
        new("unique-released-too-early", "Keelback.Jobs/Schema/0015_opened_again.sql",
            "held.run_id and r.state = 0 and not (held", "held.run_id and r.state < 0 and not (held", "tests: UniqueTests"),
        new("tick-without-its-unique-row", "Keelback.Jobs/Schedules/TickPass.cs",
            "!call.HasRow && !made.Contains(", "call.Schedule.Id < 0 && !made.Contains(", "tests: TickerTests"),

        // Timers, wake-ups, marks
        new("timer-without-its-attempt", "Keelback.Jobs/Store/TimerStatement.cs",
            "and c.attempt = due.attempt\n              and due.at >= c.at + (r.timeout_ms::bigint + 4000) * interval '1 ms')", ")", "tests: WorkerTests|CrashTests"),
        new("notify-only", "Keelback.Jobs/Workers/Pump.cs",
            "return _idle < FullScan ? _idle : FullScan;", "return TimeSpan.FromHours(1);", "tests: WorkerTests"),
        new("held-up-run-stays-in-the-batch", "Keelback.Jobs/Maintenance/PatientEnds.cs",
            "Except = Apart, Patience = Patience.Usual", "Patience = Patience.Usual", "tests: HeldUpTests"),
        new("tick-waits-for-a-lock", "Keelback.Jobs/Schedules/TickWriter.cs",
            "Patience.IsOver(e) || e is TickRefusedException", "e is TickRefusedException", "tests: RefusedTickTests"),
        new("low-mark-never-reset", "Keelback.Jobs/Workers/Lanes.cs",
            "marks[i] = full ? long.MinValue : Of(", "marks[i] = Of(", "tests: WorkerTests"),

        // Enqueueing
        new("id-taken-twice", "Keelback.Jobs/Enqueueing/EnqueueStatements.cs",
            "on conflict (app, id) do update set id = excluded.id", "on conflict (app, id) do update set run_id = excluded.run_id", "tests: EnqueueTests"),
        new("unknown-kind-costs-an-attempt", "Keelback.Jobs/Store/ClaimStatement.cs",
            "interval '25 s', run_id, 0, attempt, crashes", "interval '25 s', run_id, 0, attempt + 1, crashes", "tests: WorkerTests"),
    ];
}
