using System.Runtime.CompilerServices;
using Keelback.Postgres;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>What must hold whatever happens, kept apart from the store whose word it does not take.</summary>
internal sealed class SimLedger(SimClock clock)
{
    private readonly Dictionary<SimRun, Life> _lives = [];
    private readonly HashSet<long> _told = [];
    private readonly HashSet<long> _written = [];
    private readonly Dictionary<long, Claim> _untold = [];
    private readonly Dictionary<WorkerIdentity, (SimRun Run, int Opening)> _killers = [];

    /// <summary>The run can go its way, for the first time or again.</summary>
    public void Opened(SimRun run)
    {
        if (!_lives.TryGetValue(run, out var life)) _lives[run] = life = new();
        Check(!life.IsOpen, $"{run} was opened while it is open");
        (life.IsOpen, life.Crashes, life.Spent) = (true, 0, Math.Max(life.Spent, run.BaseAttempt));
        life.Openings++;
        life.Starts = 0;
        life.DiedOf.Clear();
    }

    public void Ended(SimRun run, JobRunState state)
    {
        var life = _lives[run];
        Check(life.IsOpen, $"{run} ended twice, as {state}");
        Check(life.Successes == 0, $"{run} ended again after its success");
        life.IsOpen = false;
        life.Ends.Add(state);
        if (state == JobRunState.Succeeded) life.Successes++;
        else if (state is JobRunState.Quarantined) Check(life.Crashes >= SimJobs.Options.CrashLimit, $"{run} was quarantined after {life.Crashes} deaths");
    }

    /// <summary>An attempt that counts came to nothing.</summary>
    public void Spent(ClaimRow claim, JobAttemptOutcome outcome)
    {
        var life = _lives[claim.Run];
        life.Spent = claim.Attempt;
        if (outcome == JobAttemptOutcome.Crashed) life.Crashes++;
        if (outcome == JobAttemptOutcome.TimedOut)
            Check(clock.Now - claim.At >= claim.Run.Call.Timeout, $"{claim.Run} timed out {clock.Now - claim.At} after its start");
    }

    /// <summary>A claim was taken away because its worker died.</summary>
    public void Swept(SimStore store, ClaimRow claim)
    {
        var worker = new WorkerIdentity(claim.Worker, claim.Epoch);
        Check(!store.IsAlive(worker), $"{claim.Run} was taken from {worker}, which is alive");
        Spent(claim, JobAttemptOutcome.Crashed);
        if (!_killers.TryGetValue(worker, out var killer) || killer.Run == claim.Run) return;

        // Fewer than the crash limit: none is quarantined for what one other did.
        var diedOf = _lives[claim.Run].DiedOf;
        var times = diedOf[killer] = diedOf.GetValueOrDefault(killer) + 1;
        Check(times <= Claim.SuspectFrom, $"{claim.Run} was charged {times} times with what {killer.Run} did");
    }

    /// <summary>An attempt that holds its run takes its worker with it.</summary>
    public void Killed(WorkerIdentity worker, SimRun by) => _killers[worker] = (by, _lives[by].Openings);

    /// <summary>Every claim that the store made, its answer lost or not.</summary>
    public void Claimed(SimStore store, ExchangeRequest request, ExchangeResult result)
    {
        if (request.Claim is not { } wanted) return;
        Check(result.Claimed.Claims.Count <= wanted.Limit, $"{result.Claimed.Claims.Count} claims where {wanted.Limit} were asked for");
        foreach (var claim in result.Claimed.Claims)
        {
            var (run, life) = (store.Run(claim.RunId), _lives[store.Run(claim.RunId)]);
            Check(store.IsAlive(wanted.Worker), $"{run} was claimed by {wanted.Worker}, which has no lease");
            Check(life.IsOpen, $"{run} was claimed after its end");
            Check(claim.Attempt == life.Spent + 1, $"{run}: attempt {claim.Attempt} after {life.Spent} that count");
            Check(claim.Crashes == life.Crashes, $"{run}: {claim.Crashes} deaths claimed, {life.Crashes} happened");
            Check(claim.Crashes < SimJobs.Options.CrashLimit, $"{run}: an attempt after {claim.Crashes} deaths");
            Check(claim.Attempt - claim.Crashes <= run.MaxAttempts, $"{run}: attempt {claim.Attempt} of {run.MaxAttempts}, {claim.Crashes} deaths");
            Check(claim.Attempt > 1 || run.WasStarted || !(run.ExpiresAt <= clock.Now), $"{run} started after its time");
            CheckAbove(run, claim);
            life.Starts++;
        }
    }

    // A run that was opened again stays below edges that have opened before.
    private void CheckAbove(SimRun run, Claim claim)
    {
        foreach (var edge in run.Above)
            Check(_lives[edge.Up].Ends.Exists(state => Opens(edge.Rule, state)), $"{run} started before {edge.Up} had ended so that its {edge.Rule} edge opens");

        var input = System.Text.Encoding.UTF8.GetString(claim.Input);
        if (run.Above.Exists(edge => _lives[edge.Up].IsOpen))
        {
            Check(_lives[run].Starts > 0, $"{run} may start for the first time while one whose end it takes is open again");
            Check(input == SimStore.OpenAbove, $"{run} started with '{input}' while one whose end it takes is open again");
            return;
        }

        var results = string.Join(' ', run.Above.Select(edge => edge.Rule != JobEdgeRule.Failure && _lives[edge.Up].Successes == 1 ? SimWorker.ResultOf(edge.Up.Id) : "-"));
        Check(input == results, $"{run} started with '{input}', not '{results}'");
    }

    private static bool Opens(JobEdgeRule rule, JobRunState state) => rule switch
    {
        JobEdgeRule.Success => state == JobRunState.Succeeded,
        JobEdgeRule.Failure => state is not (JobRunState.Succeeded or JobRunState.Skipped),
        _ => true,
    };

    /// <summary>An attempt came to its end on a worker that will tell of it.</summary>
    public void MustTell(Claim claim) => _untold[claim.Token] = claim;

    /// <summary>Its worker died, or stopped with its claims handed back.</summary>
    public void NeedNotTell(IEnumerable<Claim> claims)
    {
        foreach (var claim in claims) _untold.Remove(claim.Token);
    }

    /// <summary>The worker has heard that its outcomes were written, or fenced.</summary>
    public void Told(IEnumerable<Outcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            Check(_told.Add(outcome.Claim.Token), $"run {outcome.Claim.RunId}: the outcome of token {outcome.Claim.Token} was told again after it was written");
            _untold.Remove(outcome.Claim.Token);
        }
    }

    /// <summary>An outcome of this claim was committed, its answer heard or not.</summary>
    public void Wrote(Claim claim) => _written.Add(claim.Token);

    /// <summary>What an answer says of outcomes: one that was written, and that the run still has, did not come too late.</summary>
    public void Heard(SimStore store, IReadOnlyList<Outcome> outcomes, ExchangeResult result)
    {
        foreach (var (outcome, claim) in outcomes.Where(o => o.Tells).Select(o => (o, o.Claim)))
            Check(result.Wrote(outcome) || !_written.Contains(claim.Token) || !store.Has(outcome),
                $"run {claim.RunId}: token {claim.Token} hears that it came too late, and has written {outcome.Name}");
    }

    /// <summary>At any moment.</summary>
    public static void CheckStore(SimStore store)
    {
        Span<int> places = stackalloc int[store.Runs.Count + 1];
        places.Clear();
        foreach (var row in store.Ready) places[(int)row.Run.Id]++;
        foreach (var row in store.Parked) places[(int)row.Run.Id]++;
        foreach (var row in store.Waiting) places[(int)row.Run.Id]++;
        foreach (var row in store.Claims) places[(int)row.Run.Id]++;
        foreach (var row in store.Timers)
            if (row.What == TimerWhat.Ready) places[(int)row.Run.Id]++;
        foreach (var run in store.Runs)
            if (run.IsOpen && places[(int)run.Id] != 1) Check(false, $"{run} is open and stands in {places[(int)run.Id]} places");

        foreach (var claim in store.Claims)
            if (claim.Run.Call.Limit is { } limit && store.SlotsOf(limit) is { } slots)
                Check(store.Claims.Count(c => c.Run.Call.Limit == limit) <= slots, $"more than {slots} of '{limit}' run");
    }

    /// <summary>When everything has come to rest.</summary>
    public void CheckEnd(SimStore store)
    {
        foreach (var run in store.Runs)
        {
            Check(!run.IsOpen, $"{run} never ended");
            Check(_lives[run].Successes == (run.State == JobRunState.Succeeded ? 1 : 0), $"{run} is {run.State} and succeeded {_lives[run].Successes} times");
        }

        foreach (var claim in _untold.Values) Check(false, $"run {claim.RunId}: the outcome of attempt {claim.Attempt} was never told");
    }

    public static void Check(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref SimText otherwise)
    {
        if (!holds) throw new SimViolation(otherwise.ToString());
    }

    private sealed class Life
    {
        public bool IsOpen { get; set; }

        public int Spent { get; set; }

        public int Crashes { get; set; }

        public int Successes { get; set; }

        public int Openings { get; set; }

        /// <summary>Claims since it was opened, their answers lost or not.</summary>
        public int Starts { get; set; }

        /// <summary>How often it was charged with what another run did, since that was opened.</summary>
        public Dictionary<(SimRun, int), int> DiedOf { get; } = [];

        public List<JobRunState> Ends { get; } = [];
    }
}

/// <summary>Something does not hold.</summary>
internal sealed class SimViolation(string message) : Exception(message);
