using System.Globalization;
using System.Runtime.CompilerServices;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>A few workers, a store and what happens to them, all drawn from one number. The same number is the same story.</summary>
internal sealed class Simulation
{
    private const int Steps = 100;
    private const int MostRuns = 16;
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(30);

    private readonly Random _random;
    private readonly SimClock _clock = new();
    private readonly SimLedger _ledger;
    private readonly SimStore _store;
    private readonly RetryRules _rules;
    private readonly Bugs _bugs;
    private readonly List<string>? _trace;
    private readonly List<SimWorker> _workers = [];
    private readonly HashSet<long> _unstorable = [];
    private readonly HashSet<long> _locked = [];
    private readonly bool _isRough;
    private int _named;

    private Simulation(int seed, Bugs bugs, bool[] hits, List<string>? trace)
    {
        (_random, _bugs, _trace, _isRough) = (new(seed), bugs, trace, seed % 4 == 0);
        _ledger = new(_clock);
        _store = new(_clock, _random, bugs) { Ledger = _ledger, Hits = hits };
        _store.Limit("one", 1);
        _store.Limit("two", 2);
        _rules = SimJobs.Rules(_random);
        Hire();
        Hire();
    }

    /// <summary>Whether somebody wants the story.</summary>
    public bool IsTold => _trace is not null;

    /// <summary>Null: everything held. Else what did not, and how it came to it.</summary>
    public static string? Run(int seed, bool[] hits, Bugs bugs = Bugs.None)
    {
        try
        {
            new Simulation(seed, bugs, hits, trace: null).Run();
            return null;
        }
        catch (Exception e) when (e is SimViolation or InvalidOperationException or ArgumentException or KeyNotFoundException or NullReferenceException)
        {
            return Tell(seed, bugs, e);
        }
    }

    // The story is only told when somebody wants to hear it.
    private static string Tell(int seed, Bugs bugs, Exception e)
    {
        var trace = new List<string>();
        try
        {
            new Simulation(seed, bugs, new bool[Enum.GetValues<Transition>().Length], trace).Run();
        }
        catch (Exception again) when (again.Message == e.Message)
        {
        }

        var last = string.Join('\n', trace.TakeLast(60));
        return $"Seed {seed}: {(e is SimViolation ? e.Message : e.ToString())}\nThe last of {trace.Count} steps:\n{last}";
    }

    private void Run()
    {
        for (var step = 0; step < Steps; step++)
        {
            Step();
            Check();
        }

        Heal();
        _ledger.CheckEnd(_store);
    }

    private void Check()
    {
        SimLedger.CheckStore(_store);
        foreach (var worker in _workers) worker.Check();
    }

    private void Step()
    {
        switch (_random.Next(_isRough ? 125 : 100))
        {
            case >= 119: Pass(TimeSpan.FromSeconds(_random.Next(3, 16))); break;
            case >= 112: Sweep(); break;
            case >= 106: Disturb(); break;
            case >= 100: Refill(); break;
            case < 9: Enqueue(); break;
            case < 46: Turn(); break;
            case < 66: EndJob(); break;
            case < 75: Pass(TimeSpan.FromMilliseconds(_random.Next(1, 2000))); break;
            case < 77: Pass(TimeSpan.FromSeconds(_random.Next(3, 16))); break;
            case < 83: Beat(); break;
            case < 86: Sweep(); break;
            case < 89: Fire(); break;
            case < 90: Promote(); break;
            case < 92: ByHand(); break;
            case < 93: Disturb(); break;
            case < 95: Stop(); break;
            case < 98: Thaw(); break;
            default: Refill(); break;
        }
    }

    private void Refill()
    {
        if (_workers.Count(w => w.IsActive && !w.Pump.IsDraining) < 2) Hire();
    }

    private void Hire()
    {
        var worker = new SimWorker($"worker {++_named}", _store, _ledger, _clock, _rules, _bugs);
        _workers.Add(worker);
        Say($"{worker.Name} starts as {worker.Identity}");
    }

    private void Enqueue()
    {
        if (_store.Runs.Count >= MostRuns) return;
        SimCall[] calls = _random.Next(9) switch
        {
            0 => [Call(), Call(up: -1)], // a chain
            1 => [Call(), Call(), Call(-1, -2)], // a chord
            2 => [Call(), Call(), Call() with { Ups = [(-1, JobEdgeRule.End), (-2, JobEdgeRule.End)] }], // of what became of each
            3 => [Call(), Call() with { Ups = [(-1, JobEdgeRule.Failure)] }, Call(-1)], // callbacks
            4 => [Call(), Call(-1), Call(-1), Call(-2, -3)], // a diamond
            5 when _store.Runs.Count > 0 => [Call(_random.Next(_store.Runs.Count) + 1)], // after a run that exists
            6 when !_store.Runs.Exists(run => run.Call.Kills) => [Call() with { Kills = true }, Call() with { Takes = s_long, Timeout = null }], // one that kills, an innocent one
            _ => [Call()],
        };
        var runs = _store.Enqueue(calls);
        Say($"enqueued {string.Join(", ", runs.Select(run => $"{run} {run.Call} above {string.Join(' ', run.Above.Select(e => $"{e.Up.Id}:{e.Rule}"))}"))}");
    }

    private SimCall Call(params ReadOnlySpan<int> ups)
    {
        var above = new (long, JobEdgeRule)[ups.Length];
        for (var i = 0; i < ups.Length; i++) above[i] = (ups[i], JobEdgeRule.Success);
        return new()
        {
            MaxAttempts = _random.Next(1, 4),
            Priority = Chance(10) ? 2 : 4,
            Delay = Chance(15) ? Seconds(8) : null,
            Timeout = Chance(20) ? Seconds(6) : null,
            ExpiresAfter = Chance(15) ? Seconds(8) : null,
            Limit = Chance(20) ? "one" : Chance(10) ? "two" : null,
            Ups = above,
        };
    }

    private SimCall Call(int up) => Call([up]);

    private void Turn()
    {
        if (Any(_workers.FindAll(w => w.IsActive)) is not { } worker) return;

        if (worker.Flight is null)
        {
            worker.Ask();
            var request = worker.Flight!.Request;
            Say($"{worker.Name} tells {string.Join(", ", request.Outcomes.Select(o => $"{o.GetType().Name} {o.Claim.RunId}/{o.Claim.Token}"))}, " +
                $"asks for {request.Claim?.Limit ?? 0}{(request.Known is { } k ? $", knows {string.Join(' ', k.Tokens)}" : "")}");
            if (Chance(6)) return; // on the way
        }

        if (worker.Flight!.Result is null && !Commit(worker)) return;
        if (Chance(6)) return; // on the way back

        Hear(worker);
    }

    private bool Commit(SimWorker worker)
    {
        if (worker.Flight!.Request.Outcomes.Any(o => _unstorable.Contains(o.Claim.Token) && o is Outcome.Succeeded))
            return Fail(worker, ExchangeFailure.Refused, Transition.BatchRefused);
        if (worker.Flight.Request.Outcomes.Any(o => _locked.Contains(o.Claim.RunId))) return Fail(worker, ExchangeFailure.HeldUp, Transition.HeldUp);
        if (Chance(3)) return Fail(worker, ExchangeFailure.Unknown, Transition.RequestLost);
        if (Chance(2)) return Fail(worker, ExchangeFailure.RolledBack, Transition.RolledBack);

        worker.Commit();
        Say($"  {worker.Name}'s exchange is committed: {string.Join(", ", worker.Flight.Result!.Claimed.Claims.Select(c => $"claim {c.RunId}/{c.Token} attempt {c.Attempt}"))}");
        return true;
    }

    private void Hear(SimWorker worker)
    {
        if (Chance(4))
        {
            if (worker.Flight!.Result!.Claimed.Claims.Count > 0) _store.Hit(Transition.AnswerLostWithClaims);
            Fail(worker, ExchangeFailure.Unknown, Transition.AnswerLost);
            return;
        }

        worker.Hear(_ => Chance(2), forgets: Chance(2));
        Say($"  {worker.Name} hears its answer and runs {string.Join(' ', worker.Pump.Jobs.Claims.Select(c => c.RunId).Order())}");
        if (worker.Pump.IsDrained) Leave(worker);
    }

    private bool Fail(SimWorker worker, ExchangeFailure failure, Transition transition)
    {
        _store.Hit(transition);
        Say($"  {transition}");
        worker.Fail(failure);
        return false;
    }

    private void EndJob()
    {
        if (Any(_workers.FindAll(w => w.IsActive && w.Pump.Jobs.Count + w.AbandonedJobs.Count > 0)) is not { } worker) return;
        var job = Any([.. worker.Pump.Jobs.All.Concat(worker.AbandonedJobs).OrderBy(job => job.Claim.Token)])!;
        if (job.Reason == StopReason.None)
        {
            if (Kills(job)) Die(worker, job);
            if (worker.IsGone || !worker.IsDone(job)) return;
        }

        var dice = _random.Next(100);
        if (job.Reason != StopReason.None && Chance(70)) dice = 60; // most jobs obey
        Say($"run {job.Claim.RunId}/{job.Claim.Token} ends at {worker.Name}, {job.Reason}, {dice}");
        switch (dice)
        {
            case < 48:
                worker.Succeed(job, inTransaction: false);
                break;
            case < 50:
                _unstorable.Add(job.Claim.Token);
                worker.Succeed(job, inTransaction: false);
                break;
            case < 60:
                worker.Succeed(job, inTransaction: true);
                break;
            default:
                worker.Throw(job, Exit(dice));
                break;
        }
    }

    private bool Kills(RunningJob job) => _store.Run(job.Claim.RunId).Call.Kills;

    private void Die(SimWorker worker, RunningJob job)
    {
        Say($"run {job.Claim.RunId}/{job.Claim.Token} kills {worker.Name}");
        worker.KillBy(job);
        _workers.Remove(worker);
    }

    private Exception Exit(int dice) => dice switch
    {
        < 84 => SimJobs.TooLate,
        < 87 => JobExit.Retry(Seconds(5)),
        < 93 => JobExit.Snooze(Seconds(6)),
        < 97 => JobExit.Ignore(),
        _ => JobExit.Reject("It will never work."),
    };

    private void Pass(TimeSpan time)
    {
        _clock.Move(time);
        Say($"{time.TotalSeconds:0.000} s pass");
        foreach (var worker in _workers) worker.Tick();
    }

    private void Beat()
    {
        if (Any(_workers.FindAll(w => w.IsActive)) is not { } worker) return;
        worker.Beat();
        Say($"{worker.Name} beats as {worker.Identity}");
    }

    private void Sweep()
    {
        Say($"sweep");
        _store.Sweep(SimJobs.Options.CrashLimit);
    }

    private void Fire()
    {
        Say($"timers");
        _store.FireTimers(_rules);
        if (Chance(50)) foreach (var worker in _workers) worker.Pump.AskForClaims();
    }

    private void Promote()
    {
        Say($"promotion");
        if (_store.Promote() > 0) foreach (var worker in _workers) worker.Pump.LookAgain();
    }

    private void ByHand()
    {
        if (Any(_store.Runs) is not { } run) return;
        if (_locked.Remove(run.Id))
        {
            Say($"{run} is locked no more");
        }
        else if (Chance(30))
        {
            Say($"somebody locks {run}");
            _locked.Add(run.Id);
        }
        else if (run.IsOpen)
        {
            Say($"cancel {run}");
            _store.Cancel(run);
        }
        else
        {
            var whole = Chance(30);
            Say($"retry {run} which is {run.State}, whole graph: {whole}");
            _store.Redrive(run, whole);
        }
    }

    private void Disturb()
    {
        if (Any(_workers.FindAll(w => w.IsActive)) is not { } worker) return;
        if (Chance(50))
        {
            Say($"{worker.Name} is frozen");
            worker.IsFrozen = true;
        }
        else
        {
            Say($"{worker.Name} is killed");
            worker.Kill();
            _workers.Remove(worker);
        }
    }

    private void Thaw()
    {
        if (Any(_workers.FindAll(w => w.IsFrozen && !w.IsGone)) is not { } worker) return;
        Say($"{worker.Name} is thawed");
        worker.IsFrozen = false;
        _store.Hit(Transition.WorkerThawed);
        worker.Tick();
    }

    private void Stop()
    {
        if (Any(_workers.FindAll(w => w.IsActive)) is not { } worker) return;
        if (!worker.Pump.IsDraining || Chance(50))
        {
            var atOnce = Chance(40);
            Say($"{worker.Name} stops, at once: {atOnce}");
            worker.Pump.Drain(atOnce);
        }
        else
        {
            Leave(worker);
        }
    }

    private void Leave(SimWorker worker)
    {
        Say($"{worker.Name} leaves, drained: {worker.Pump.IsDrained}");
        if (worker.Pump.IsDrained) _store.Hit(Transition.DrainedEmpty);
        worker.Leave();
        _workers.Remove(worker);
    }

    // From here on nothing bad happens, and everything must come to its end.
    private void Heal()
    {
        Say($"the weather clears up");
        _unstorable.Clear();
        _locked.Clear();
        foreach (var worker in _workers) worker.IsFrozen = false;
        for (var round = 0; round < 200; round++)
        {
            if (_store.Runs.TrueForAll(run => !run.IsOpen) && _workers.TrueForAll(w => w.Flight is null && !w.Pump.HoldsAny)) return;

            if (!_workers.Exists(w => !w.Pump.IsDraining)) Hire();
            Pass(_store.Ready.Count + _store.Claims.Count > 0 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(10));
            foreach (var worker in _workers) worker.Beat();
            _store.Sweep(SimJobs.Options.CrashLimit);
            _store.FireTimers(_rules);
            _store.Promote();
            foreach (var worker in _workers.ToList()) Proceed(worker);
            Check();
        }

        var left = _store.Runs.Find(run => run.IsOpen);
        SimLedger.Check(left is null, $"{left} never ends: {string.Join(", ", _store.Claims.Where(c => c.Run == left))}");
        SimLedger.Check(false, $"{_workers.First(w => w.Flight is not null || w.Pump.HoldsAny).Name} never comes to rest");
    }

    private void Proceed(SimWorker worker)
    {
        if (worker.Flight is null) worker.Ask();
        if (worker.Flight!.Result is null) worker.Commit();
        worker.Hear(static _ => false, forgets: false);
        foreach (var job in worker.Pump.Jobs.All.Concat(worker.AbandonedJobs).OrderBy(job => job.Claim.Token).ToList())
        {
            if (job.Reason != StopReason.None) worker.Throw(job, SimJobs.TooLate);
            else if (Kills(job)) Die(worker, job);
            else if (worker.IsDone(job)) worker.Succeed(job, inTransaction: false);
            if (worker.IsGone) return;
        }

        if (worker.Pump.IsDrained) Leave(worker);
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private TimeSpan Seconds(int most) => TimeSpan.FromMilliseconds(_random.Next(500, most * 1000));

    private T? Any<T>(List<T> among)
        where T : class => among.Count == 0 ? null : among[_random.Next(among.Count)];

    private void Say([InterpolatedStringHandlerArgument("")] ref SimText what)
    {
        if (IsTold) _trace!.Add(string.Create(CultureInfo.InvariantCulture, $"{(_clock.Now - SimClock.Start).TotalSeconds,8:0.000}  {what.ToString()}"));
    }
}
