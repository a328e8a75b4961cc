using System.Diagnostics;

namespace Keelback.Chaos;

/// <summary>Holds the invariants against what was written down.</summary>
internal sealed class Judge(Facts facts, ChaosOptions options)
{
    private const int Succeeded = 1, Failed = 2, Cancelled = 3, UpstreamFailed = 4, Quarantined = 5;

    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan s_stop = RoleOptions.Shutdown + TimeSpan.FromSeconds(5);
    private static readonly HashSet<string> s_ofServer = ["crash", "restart", "terminate", "herd", "errors", "clock-back", "clock-ahead"];
    private static readonly HashSet<string> s_ofWorker = ["zombie", "blackhole", "one-way", "slow", "own-clock"];

    public IReadOnlyList<Verdict> All(IEnumerable<string> surprises) =>
    [
        NothingLost(), EndsAsItShould(), NoPhantoms(), UnknownIsAllOrNothing(), IdsAreOneRun(), EffectsOnce(), OrdersWithTheirJobs(),
        TokensRise(), NoOverlap(), RepeatsHaveCauses(), AttemptsAddUp(), OldTokensChangeNothing(), BodiesOnce(), BodiesLast(),
        TicksOnce(), NoTickMissing(), RecoversSoon(), NothingLeft(),
        AtOnce("limited", Work.LimitedSlots, $"no more at once than the limit has slots"), AtOnce("solo", 1, "of the calls with one unique key one at a time"),
        PaceHolds(), StopsInTime(), OneWinner(),
        new("F4", "no worker ends by itself", facts.Deaths.Count, [.. surprises]),
    ];

    private Verdict NothingLost()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var call in facts.Calls.Values.Where(c => c.Acked))
        {
            count++;
            var runs = facts.RunsOfCall[call.Call.Key].ToList();
            var mayBeAnothers = call.Call.Shape == Shape.Solo && runs.Count == 0;
            if (runs.Count != call.Call.Runs && !mayBeAnothers) bad.Add($"call {call.Call.Key} ({call.Call.Shape}) was acknowledged; {runs.Count} of its {call.Call.Runs} runs are there");
            foreach (var run in runs.Where(r => r.State == 0)) bad.Add($"run {run.Id} ({run.Kind}, call {run.Call}) is still open");
            foreach (var run in runs.Where(r => r.State == Succeeded && !facts.Attempts.ContainsKey(r.Id))) bad.Add($"run {run.Id} ({run.Kind}) succeeded and never ran");
            foreach (var id in call.Runs.Where(id => mayBeAnothers ? facts.Runs.GetValueOrDefault(id)?.Kind != "solo" : runs.All(r => r.Id != id))) bad.Add($"run {id} of call {call.Call.Key} was acknowledged, and is not there");
        }

        return new("I1", "every acknowledged call is there, ran, and ended", count, bad);
    }

    private Verdict EndsAsItShould()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var run in facts.Runs.Values.Where(r => r.HasInput && facts.Calls.ContainsKey(r.Call)))
        {
            count++;
            var call = facts.Calls[run.Call].Call;
            var fits = run.Kind switch
            {
                "throws" or "swells" => run.State == Failed,
                "kills" => run.State == Quarantined,
                _ when run.State == Quarantined => DiedEachTime(run),
                "deaf" => run.State is Failed or Succeeded, // where the database was away, nobody called its time
                "body" when call.Shape == Shape.BadChord => run.State == UpstreamFailed,
                "body" or "add" when run.State == UpstreamFailed => facts.RunsOfCall[run.Call].Any(r => r.State == Quarantined),
                _ when call.Shape == Shape.Cancelled => run.State is Succeeded or Cancelled,
                _ => run.State == Succeeded,
            };
            if (!fits) bad.Add($"run {run.Id} ({run.Kind}, {call.Shape}, attempt {run.Attempt}) ended in state {run.State}: {run.Error}");
        }

        foreach (var run in facts.Runs.Values.Where(r => !r.HasInput && r.State == 0)) bad.Add($"run {run.Id} ({run.Kind}) is still open");
        var unlucky = facts.Runs.Values.Count(r => r.State == Quarantined && r.Kind != "kills");
        return new("I1", "every run ended in the state its job asks for", count, bad, $"{unlucky} quarantined beside those that kill");
    }

    // By chance a slow one may meet as many deaths as one that kills: then each of its attempts had its own.
    private bool DiedEachTime(RunFact run) => run.Failures >= RoleOptions.CrashLimit
        && facts.Attempts.GetValueOrDefault(run.Id, []).All(a => facts.Deaths.ContainsKey(a.Node) || Explains(a.Node, a.Start, EndOf(a)));

    private Verdict NoPhantoms()
    {
        var bad = facts.Runs.Values
            .Where(run => run.HasInput && (!facts.Calls.TryGetValue(run.Call, out var call) || (call.Refused && !call.Acked && !call.Unknown)))
            .Select(run => $"run {run.Id} ({run.Kind}, call {run.Call}) is of a call that was refused, or never made").ToList();
        bad.AddRange(facts.Calls.Values.Where(c => c.Call.Shape is Shape.Nul or Shape.Huge && c.Acked).Select(c => $"call {c.Call.Key} ({c.Call.Shape}) was accepted"));
        return new("I2", "what ran was asked for; what was refused left no row", facts.Runs.Count, bad, $"{facts.Calls.Values.Count(c => c.Refused)} refused");
    }

    private Verdict UnknownIsAllOrNothing()
    {
        var unknown = facts.Calls.Values.Where(c => !c.Acked && !c.Refused).ToList();
        var bad = unknown.Where(c => facts.RunsOfCall[c.Call.Key].Count() is var n && n != 0 && n != c.Call.Runs)
            .Select(c => $"call {c.Call.Key} ({c.Call.Shape}) is unknown, and has {facts.RunsOfCall[c.Call.Key].Count()} of {c.Call.Runs} runs").ToList();
        return new("I2", "a call whose answer was lost is there as a whole or not at all", unknown.Count, bad,
            $"{unknown.Count(c => facts.RunsOfCall[c.Call.Key].Any())} were there");
    }

    private Verdict IdsAreOneRun()
    {
        var bad = facts.Calls.Values.Where(c => c.Runs.Count > 1).Select(c => $"call {c.Call.Key} was told {c.Runs.Count} runs: {string.Join(", ", c.Runs.Take(5))}").ToList();
        var count = facts.Calls.Values.Count(c => c.Call.Shape == Shape.Duplicate && c.Acked);
        return new("I2", "100 calls with one id at once are one run", count, bad);
    }

    private Verdict EffectsOnce()
    {
        var runs = facts.Runs.Values.Where(r => r.Kind == "tx").ToList();
        var bad = (from run in runs
                   let effects = facts.TxEffects.GetValueOrDefault(run.Id)
                   where effects != (run.State == Succeeded ? 1 : 0)
                   select $"run {run.Id} (tx) is in state {run.State} and has {effects} effects").ToList();
        bad.AddRange(facts.TxEffects.Keys.Where(id => !facts.Runs.ContainsKey(id)).Select(id => $"run {id} has effects and is not there"));
        return new("I3", "a transactional effect is there once if its run succeeded, else not", runs.Count, bad);
    }

    private Verdict OrdersWithTheirJobs()
    {
        var calls = facts.Calls.Values.Where(c => c.Call.Shape == Shape.Ordered).ToList();
        var bad = (from call in calls
                   let rows = facts.Orders.GetValueOrDefault(call.Call.Key)
                   let runs = facts.RunsOfCall[call.Call.Key].Count()
                   where rows != runs || rows > 1 || (call.Acked && rows != 1)
                   select $"call {call.Call.Key}: {rows} rows, {runs} runs").ToList();
        return new("I3", "a row and the job that was enqueued with it: both once, or neither", calls.Count, bad);
    }

    // A crash of the database may take back claims that nobody waited for, and their numbers with them. Who was frozen with a claim in hand begins late.
    private Verdict TokensRise()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var (run, attempts) in facts.Attempts)
        {
            attempts.Sort((a, b) => a.Start.CompareTo(b.Start));
            for (var i = 1; i < attempts.Count; i++)
            {
                count++;
                var (a, b) = (attempts[i - 1], attempts[i]);
                if ((b.Token <= a.Token || b.Number < a.Number) && !WasHeld(b.Node, b.Start) && !facts.Faults.Any(f => f.Fault == "crash" && f.From <= b.Start && f.To >= a.Start))
                    bad.Add($"run {run}: attempt {a.Number} with token {a.Token}, then {b.Number} with {b.Token}");
            }
        }

        return new("I4", "attempts and tokens of a run rise", count, bad);
    }

    private Verdict NoOverlap()
    {
        var (count, bad, explained) = (0L, new List<string>(), 0);
        foreach (var (run, attempts) in facts.Attempts)
            for (var i = 1; i < attempts.Count; i++)
            {
                count++;
                var (a, b) = (attempts[i - 1], attempts[i]);
                if (EndOf(a) <= b.Start || a.Kind == "deaf") continue;
                if (Explains(a.Node, a.Start, b.Start)) explained++;
                else bad.Add($"run {run} ({a.Kind}): attempt {b.Number} on {b.Node} began while {a.Number} ran on {a.Node}");
            }

        return new("I4", "no two attempts of a run at once while the first one's lease lives", count, bad, $"{explained} overlapped a frozen, cut off or crashed one");
    }

    private Verdict RepeatsHaveCauses()
    {
        var repeats = facts.Attempts.Values.Sum(attempts => Math.Max(0, attempts.Count(a => a.Ok) - 1));
        var deaths = facts.Deaths.Count;
        var faults = facts.Faults.Count(f => s_ofWorker.Contains(f.Fault) || s_ofServer.Contains(f.Fault) || f.Fault is "reset" or "lose-answers");
        var bound = (deaths + (faults * options.Workers)) * RoleOptions.Concurrency;
        return new("I4", "bodies that ran to their end twice", facts.Attempts.Count, repeats <= bound ? [] : [$"{repeats} repeats; {deaths} deaths and {faults} faults explain {bound}"],
            $"{repeats}, at most {bound}");
    }

    private Verdict AttemptsAddUp()
    {
        var runs = facts.Runs.Values.Where(r => r.State is Succeeded or Failed).ToList();
        var bad = (from run in runs
                   where run.Attempt != run.Failures + (run.State == Succeeded ? 1 : 0)
                   select $"run {run.Id} ({run.Kind}, state {run.State}) ended with attempt {run.Attempt}; {run.Failures} are told").ToList();
        return new("I4", "every attempt that was spent is told: failed, crashed, timed out, or the last", runs.Count, bad);
    }

    private Verdict OldTokensChangeNothing()
    {
        var zombies = facts.Faults.Count(f => f.Fault == "zombie");
        return new("I5", "late writes were made, and changed nothing", facts.FencedWrites,
            zombies >= 5 && facts.FencedWrites == 0 ? [$"{zombies} zombies and not one late write: the test did not test"] : [], $"{zombies} zombies");
    }

    private Verdict BodiesOnce()
    {
        var bodies = facts.Runs.Values.Where(r => r.Kind == "body").ToDictionary(r => r.Id);
        var results = facts.ChordResults.ToLookup(r => r.Run);
        var bad = new List<string>();
        foreach (var body in bodies.Values)
        {
            var rows = results[body.Id].ToList();
            if (rows.Count != (body.State == Succeeded ? 1 : 0)) bad.Add($"body {body.Id} (call {body.Call}) is in state {body.State} and ran {rows.Count} times");
            else if (rows is [var row] && facts.Calls.TryGetValue(body.Call, out var call) && !row.Results.SequenceEqual(call.Call.Results))
                bad.Add($"body {body.Id} got [{string.Join(", ", row.Results)}] for [{string.Join(", ", call.Call.Results)}]");
        }

        bad.AddRange(results.Where(r => !bodies.ContainsKey(r.Key)).Select(r => $"body {r.Key} ran and is not there"));
        return new("I6", "a chord's body once, with each member's result once", bodies.Count, bad);
    }

    private Verdict BodiesLast()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var body in facts.Runs.Values.Where(r => r.Kind == "body" && facts.Attempts.ContainsKey(r.Id)))
        {
            count++;
            var began = facts.Attempts[body.Id].Min(a => a.Start);
            foreach (var member in facts.RunsOfCall[body.Call].Where(r => r.Id != body.Id))
                if (!(facts.Attempts.GetValueOrDefault(member.Id) ?? []).Any(a => a.Ok && a.End <= began))
                    bad.Add($"body {body.Id} began before member {member.Id} had ended");
        }

        return new("I6", "a body begins after its last member's end", count, bad);
    }

    private Verdict TicksOnce()
    {
        var bad = facts.TickRuns.Where(t => t.Value != 1).Select(t => $"tick {t.Key.At} of {t.Key.Schedule} has {t.Value} runs").ToList();
        var told = facts.Ticks.Where(t => t.Outcome == 0).ToList();
        bad.AddRange(told.Where(t => !facts.TickRuns.ContainsKey((t.Schedule, t.At))).Select(t => $"tick {t.At} of {t.Schedule} was enqueued, and has no run"));
        bad.AddRange(facts.TickRuns.Keys.Except(told.Select(t => (t.Schedule, t.At))).Select(t => $"a run of {t.Schedule} at {t.At} has no tick"));
        return new("I7", "each tick is one run, whichever of the nodes fires it", told.Count, bad, $"each raced by {options.Workers} nodes");
    }

    // All: every second a run. Latest: every second told, as a run or as one of several that one run stands for.
    private Verdict NoTickMissing()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var schedule in facts.Ticks.GroupBy(t => t.Schedule))
        {
            TickFact? before = null;
            foreach (var tick in schedule.OrderBy(t => t.At))
            {
                count++;
                if (before is not null && tick.At != before.Until + 1) bad.Add($"{schedule.Key}: after {before.Until} comes {tick.At}");
                if (schedule.Key.StartsWith("all", StringComparison.Ordinal) && tick.Outcome != 0 && !facts.Faults.Any(f => f.Fault == "clock-ahead"))
                    bad.Add($"{schedule.Key}: tick {tick.At} has outcome {tick.Outcome}");
                before = tick;
            }
        }

        return new("I7", "no second is without its tick, outages caught up as the schedule says", count, bad);
    }

    private Verdict AtOnce(string kind, int most, string what)
    {
        var (count, bad) = (0L, new List<string>());
        var edges = new List<(long At, int Change, long Group, long Run)>();
        foreach (var attempt in facts.Attempts.Values.SelectMany(a => a).Where(a => a.Kind == kind))
        {
            count++;
            var end = EndOf(attempt);
            if (Explains(attempt.Node, attempt.Start, end) || !facts.Runs.TryGetValue(attempt.Run, out var run)) continue; // its claim, and the slot, may be another's
            edges.Add((attempt.Start, 1, run.Call % Work.Groups, run.Id));
            edges.Add((end, -1, run.Call % Work.Groups, run.Id));
        }

        var running = new Dictionary<long, int>();
        foreach (var (_, change, group, run) in edges.OrderBy(e => e.At).ThenBy(e => e.Change))
            if ((running[group] = running.GetValueOrDefault(group) + change) > most)
                bad.Add($"run {run} ({kind}) is number {running[group]} of group {group}, of which {most} may run");
        return new("I9", what, count, bad);
    }

    private Verdict PaceHolds()
    {
        var starts = facts.PacedStarts.Order().ToList();
        var bad = (from i in Enumerable.Range(0, Math.Max(0, starts.Count - Work.PacePerSecond))
                   let span = starts[i + Work.PacePerSecond] - starts[i]
                   where span < TimeSpan.FromSeconds(1)
                   select $"{Work.PacePerSecond + 1} starts within {span.TotalMilliseconds:0} ms from {starts[i]:HH:mm:ss.fff} on").ToList();
        return new("I9", "in no second more starts than the rate allows, by the database's clock", starts.Count, bad);
    }

    private Verdict RecoversSoon()
    {
        var (times, bad) = (new List<TimeSpan>(), new List<string>());
        var outages = facts.Faults.Where(f => f.Fault is "crash" or "restart" or "clock-back" or "terminate" or "errors" or "herd").ToList();
        foreach (var (run, attempts) in facts.Attempts)
            for (var i = 0; i < attempts.Count - 1; i++)
            {
                var a = attempts[i];
                if (a.End is not null || !facts.Deaths.TryGetValue(a.Node, out var death)) continue;

                // One that had it before, and was frozen on the way to its first line, may say so in between.
                if (attempts.Skip(i + 1).FirstOrDefault(later => later.Token > a.Token) is not { } next) continue;

                var again = next.Start;
                if (again < death.At) continue; // somebody else had it already
                var away = outages.Sum(f => Math.Max(0, Math.Min(again, f.To) - Math.Max(death.At, f.From)));
                var took = Stopwatch.GetElapsedTime(death.At + away, Math.Max(death.At + away, again));
                times.Add(took);
                var deaths = Math.Max(1, next.Number - a.Number); // of those that died between their claim and the job's first line no line tells
                if (took > Recovery * deaths) bad.Add($"run {run} ({a.Kind}) of {a.Node} ({death.Why}) ran again after {took.TotalSeconds:0.0} s");
            }

        times.Sort();
        return new("I8", $"what a dead worker held runs again within {Recovery.TotalSeconds:0} s, outages not counted", times.Count, bad,
            times.Count == 0 ? "" : $"median {times[times.Count / 2].TotalSeconds:0.0} s, p99 {times[times.Count * 99 / 100].TotalSeconds:0.0} s, longest {times[^1].TotalSeconds:0.0} s");
    }

    private Verdict NothingLeft() => new("I8", "the backlog is gone, and every open run stands somewhere", facts.Runs.Count, facts.Leftovers.Length == 0 ? [] : [facts.Leftovers]);

    private Verdict StopsInTime()
    {
        var disturbed = facts.Faults.Where(f => s_ofServer.Contains(f.Fault) || s_ofWorker.Contains(f.Fault) || f.Fault is "deadlock" or "lose-answers").ToList();
        var bad = (from stop in facts.Stops
                   where facts.Ready.Contains(stop.Node)
                   let sent = stop.At - (long)(stop.Took.TotalSeconds * Stopwatch.Frequency)
                   where !(facts.Deaths.TryGetValue(stop.Node, out var death) && death.At <= sent) // killed, and told before anybody saw it
                   where (stop.ExitCode != 0 || stop.Took > s_stop) && !disturbed.Any(f => f.From <= stop.At && f.To >= sent - (2 * Stopwatch.Frequency))
                   select $"{stop.Node} ended with {stop.ExitCode} {stop.Took.TotalSeconds:0.0} s after SIGTERM").ToList();
        return new("F27", $"SIGTERM ends a worker with 0 within {s_stop.TotalSeconds:0} s", facts.Stops.Count, bad,
            facts.Stops.Count == 0 ? "" : $"longest {facts.Stops.Max(s => s.Took).TotalSeconds:0.0} s");
    }

    private Verdict OneWinner()
    {
        var (count, bad) = (0L, new List<string>());
        foreach (var call in facts.Calls.Values.Where(c => c.Call.Shape == Shape.Cancelled && c.Cancels.Count == 2))
        {
            if (facts.RunsOfCall[call.Call.Key].FirstOrDefault() is not { } run) continue;
            count++;
            var won = call.Cancels.Count(answer => answer == "True");
            var mayHaveWon = won + call.Cancels.Count(answer => answer == "unknown");
            if (won > 1 || (run.State == Cancelled ? mayHaveWon == 0 : won > 0))
                bad.Add($"run {run.Id} is in state {run.State}; its two cancellations were told {string.Join(", ", call.Cancels)}");
        }

        return new("F32", "of a completion and two cancellations one wins", count, bad);
    }

    private long EndOf(AttemptFact attempt) =>
        attempt.End ?? (facts.Deaths.TryGetValue(attempt.Node, out var death) ? death.At
            : facts.Stops.FirstOrDefault(s => s.Node == attempt.Node) is { Node: not null } stop ? stop.At : long.MaxValue);

    private bool WasHeld(string node, long at) =>
        facts.Faults.Any(f => f.Victim == node && s_ofWorker.Contains(f.Fault) && f.From <= at && f.To >= at - (8 * Stopwatch.Frequency));

    // In the second before the overlap nothing need have been noticed; a lost lease is noticed late.
    private bool Explains(string node, long from, long to) =>
        facts.Faults.Any(f => (f.Victim == node || s_ofServer.Contains(f.Fault)) && f.From <= to && f.To >= from - (8 * Stopwatch.Frequency))
        || facts.LostLeases.Any(lost => lost.Node == node && lost.At is var at && at >= from - Stopwatch.Frequency && at <= to + (60 * Stopwatch.Frequency));
}
