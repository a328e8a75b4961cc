using System.Text;
using System.Text.Json;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>The simulation is worth what its store is worth: the same operations on it and on the engine's own statements leave the same behind.</summary>
public sealed class ConformanceTests : JobsTest
{
    private const int Seeds = 21;
    private const int MostSeeds = 90; // some transitions are met once in ten stories
    private const int Steps = 110;
    private const int CrashLimit = 3;

    // In whole minutes, beside which the time that the database takes does not count.
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_lease = 4 * s_minute;

    private static readonly JobKind s_work = TestJobs.Kind<string>("work", _ => Task.FromResult(""),
        d => (d.Jitter, d.Backoff, d.RetryDelay) = (false, RetryBackoff.Constant, "00:01:00")).With(LateTwice<TimeoutException>(), LateTwice<KeelbackException>());

    // As the model calls what is late, and as the engine does; a rule of its own counts from the last retry by hand.
    private static RetryAttribute<T> LateTwice<T>()
        where T : Exception => new() { MaxAttempts = 2, Jitter = false, Backoff = RetryBackoff.Constant, Delay = "00:01:00" };

    private readonly bool[] _hits = new bool[Enum.GetValues<Transition>().Length];
    private readonly List<string> _story = [];
    private readonly Dictionary<long, Outcome> _again = []; // what was told with a token
    private readonly Dictionary<SimRun, long> _ids = [];
    private readonly List<(Claim Model, Claim Real)> _held = [];
    private readonly List<(WorkerIdentity Model, WorkerIdentity Real)> _workers = [];
    private Random _random = new(0);
    private SimClock _clock = new();
    private SimStore _store = null!;
    private JobHost _host = null!;
    private NpgsqlConnection _db = null!;
    private Lanes _lanes = null!;
    private RetryRules _rules = null!;

    [Fact]
    public async Task The_store_of_the_simulation_does_what_the_statements_do()
    {
        await using var host = _host = JobHost.Create(Database, [s_work], o =>
        {
            o.RunWorker = false;
            o.Limits["one"] = new(1);
            o.Limits["two"] = new(2);
        });
        await host.StartAsync();
        await using var db = _db = await host.Db.OpenConnectionAsync();
        _rules = host.Services.GetRequiredService<RetryRules>();
        _lanes = new(_clock);

        for (var seed = 0; seed < Seeds || (seed < MostSeeds && NotMet().Any()); seed++)
        {
            await BeginAsync(seed);
            for (var step = 0; step < Steps; step++)
            {
                await StepAsync();
                Compare(Model(), await RealAsync());
            }
        }

        Assert.True(!NotMet().Any(), $"Not met: {string.Join(' ', NotMet())}");
    }

    private IEnumerable<Transition> NotMet() => Enum.GetValues<Transition>().Where(t => t < Transition.AnswerLost && !_hits[(int)t])
        .Except([Transition.ClaimedSucceededInTransaction, Transition.TransactionFenced]) // of the simulated worker
        .Except([Transition.ParkedExpired, Transition.ClaimedQuarantined, Transition.ClaimedCancelled]); // too seldom

    private void Compare(string model, string real) =>
        Assert.True(model == real, $"{string.Join('\n', _story)}\n\nThe model:\n{model}\nThe database:\n{real}");

    private async Task BeginAsync(int seed)
    {
        foreach (var table in new[] { "ready", "wait", "timer", "parked", "claim", "slot", "worker" }) await ExecuteAsync($"delete from keelback.{table}");
        (_random, _clock) = (new(seed), new());
        _store = new(_clock, _random) { Hits = _hits };
        _store.Limit("one", 1);
        _store.Limit("two", 2);
        _lanes.Set(await _host.Services.GetRequiredService<QueueCatalog>().AllAsync(default));
        foreach (var list in new System.Collections.IList[] { _held, _workers, _story }) list.Clear();
        _ids.Clear();
        _again.Clear();
        _story.Add($"Seed {seed}");
        for (var i = 0; i < 2; i++) _workers.Add((_store.Register(s_lease), WorkerRegistry.Register(_db, new("test", "model", [], "{}"), s_lease)));
    }

    private Task StepAsync() => _random.Next(31) switch
    {
        < 3 => EnqueueAsync(),
        < 7 => ClaimAsync(),
        < 12 => TellAsync(),
        < 14 => CancelAsync(),
        < 17 => RedriveAsync(),
        < 19 => BeatAsync(),
        < 21 => SweepAsync(),
        < 22 => PromoteAsync(),
        < 23 => StrangersAsync(),
        < 27 => DieAsync(),
        _ => TimersAsync(),
    };

    private async Task EnqueueAsync()
    {
        if (_store.Runs.Count > 30) return;
        SimCall[] calls = _random.Next(7) switch
        {
            0 => [Call(), Call(-1)],
            1 => [Call(), Call(), Call(-1, -2)],
            2 => [Call(), Call(), Call() with { Ups = [(-1, JobEdgeRule.End), (-2, JobEdgeRule.End)] }],
            3 => [Call(), Call() with { Ups = [(-1, JobEdgeRule.Failure)] }, Call(-1)],
            4 => [Call(), Call(-1), Call(-1), Call(-2, -3)],
            5 when _store.Runs.Count > 0 => [Call(_random.Next(_store.Runs.Count) + 1)],
            _ => [Call()],
        };

        var jobs = new List<Job<string>>();
        foreach (var call in calls) jobs.Add(Described(call, jobs));
        var ids = await _host.Jobs.EnqueueManyAsync([jobs[^1], .. jobs.SkipLast(1)]); // the last is what the graph is enqueued as
        var runs = _store.Enqueue(calls);
        for (var i = 0; i < runs.Count; i++) _ids[runs[i]] = ids[(i + 1) % runs.Count];
        _story.Add($"enqueued {string.Join(", ", runs.Select(run => $"{run} above {string.Join(' ', run.Above.Select(edge => $"{edge.Up.Id}:{edge.Rule}"))}"))}");
    }

    private SimCall Call(params int[] ups) => new()
    {
        MaxAttempts = _random.Next(1, 4),
        Priority = _random.Next(4) == 0 ? 2 : 4,
        Delay = _random.Next(4) == 0 ? _random.Next(1, 6) * s_minute : null,
        Timeout = _random.Next(6) == 0 ? _random.Next(1, 3) * s_minute : null,
        ExpiresAfter = _random.Next(4) == 0 ? _random.Next(1, 4) * s_minute : null,
        Limit = _random.Next(3) == 0 ? "one" : _random.Next(6) == 0 ? "two" : null,
        Ups = [.. ups.Select(up => ((long)up, JobEdgeRule.Success))],
    };

    private Job<string> Described(SimCall call, List<Job<string>> earlier)
    {
        var members = call.Ups.Select(up => new JobBinding(JobBinding.Members, up.Up < 0 ? earlier[(int)-up.Up - 1] : Job.Of<string>(_ids[_store.Run(up.Up)]), up.Rule)).ToList();
        JobBinding[] bindings = members.Count == 0 ? []
            : members[0].Rule == JobEdgeRule.Failure ? [members[0] with { Parameter = "failure" }]
            : [new JobBinding("ups", new Job<string[]>(JobKind.Gather, default, members))];
        return s_work.Call<string>(null, bindings).With(new()
        {
            MaxAttempts = call.MaxAttempts,
            Priority = call.Priority,
            Delay = call.Delay,
            Timeout = call.Timeout,
            ExpiresAfter = call.ExpiresAfter,
            Limits = call.Limit is { } limit ? [limit] : null,
        });
    }

    private async Task ClaimAsync()
    {
        var (model, real) = _workers[_random.Next(_workers.Count)];
        var asked = _lanes.Request(_random.Next(1, 5), full: true, real, "test", _host.Services.GetRequiredService<JobKinds>().Names)
            with
        { RevokedKinds = _random.Next(12) == 0 ? [s_work.Name] : [], TakesSuspect = _random.Next(2) == 0 };
        var byReal = (await ExchangeAsync(new() { Outcomes = [], Claim = asked })).Claimed.Claims;
        var byModel = _store.Exchange(new() { Outcomes = [], Claim = asked with { Worker = model } }).Claimed.Claims;

        _story.Add($"claimed {string.Join(", ", byModel.Select(c => $"run {c.RunId}/{c.Token}"))}");
        Compare(
            string.Join('\n', byModel.OrderBy(c => c.RunId).Select(Seen)),
            string.Join('\n', byReal.Select(c => Seen(c) with { RunId = _ids.First(pair => pair.Value == c.RunId).Key.Id }).OrderBy(c => c.RunId)));
        foreach (var claim in byModel) _held.Add((claim, byReal.Find(c => c.RunId == Id(claim))!));
    }

    private static (long RunId, int Attempt, int Crashes, int MaxAttempts, int BaseAttempt, bool Followed, bool Limited, bool IsRevoked, TimeSpan? Timeout, string Input) Seen(Claim c) =>
        (c.RunId, c.Attempt, c.Crashes, c.MaxAttempts, c.BaseAttempt, c.Followed, c.Limited, c.IsRevoked, c.Timeout, Input(c.Input));

    // The results of those above, in their order.
    private static string Input(byte[] input)
    {
        if (input.Length == 0 || input[0] != '{') return Encoding.UTF8.GetString(input);
        using var json = JsonDocument.Parse(input);
        if (json.RootElement.TryGetProperty("failure", out _)) return "-";
        return json.RootElement.TryGetProperty("ups", out var ups)
            ? string.Join(' ', ups.EnumerateArray().Select(up => up.ValueKind == JsonValueKind.Object
                ? up.TryGetProperty("value", out var value) ? value.GetRawText() : "-"
                : up.GetRawText()))
            : "";
    }

    private async Task TellAsync()
    {
        if (_held.Count == 0) return;
        var (told, doubted) = (new List<(Outcome Model, Outcome Real)>(), new List<(Outcome Model, Outcome Real)>());
        for (var i = _random.Next(1, 3); i > 0 && _held.Count > 0; i--)
        {
            var (model, real) = _held[_random.Next(_held.Count)];
            if (told.Exists(pair => pair.Model.Claim.RunId == model.RunId)) continue;
            var outcome = _again.TryGetValue(model.Token, out var before) && _random.Next(2) == 0 ? before : Drawn(model);
            told.Add((outcome, outcome with { Claim = real }));
            if (outcome == before) doubted.Add(told[^1]);
            _again[model.Token] = outcome;
            if (_random.Next(5) > 0) _held.Remove((model, real)); // else it is told again, with a token that is old by then
        }

        _story.Add($"told {string.Join(", ", told.Select(o => $"{o.Model.GetType().Name} {o.Model.Claim.RunId}/{o.Model.Claim.Token}"))}");
        var byModel = _store.Exchange(new() { Outcomes = [.. told.Select(o => o.Model)], Doubted = [.. doubted.Select(o => o.Model)] });
        var byReal = await ExchangeAsync(new() { Outcomes = [.. told.Select(o => o.Real)], Doubted = [.. doubted.Select(o => o.Real)] });
        Compare(string.Join(' ', byModel.Written.Order()), Numbers(byReal.Written));
        Compare(string.Join(' ', byModel.WrittenBefore.Order()), Numbers(byReal.WrittenBefore));

        string Numbers(IEnumerable<long> ids) => string.Join(' ', ids.Select(id => _ids.First(pair => pair.Value == id).Key.Id).Order());
    }

    private Outcome Drawn(Claim claim) => _random.Next(9) switch
    {
        < 3 => new Outcome.Succeeded(claim, Encoding.UTF8.GetBytes($"\"r{claim.RunId}\"")),
        3 => new Outcome.Failed(claim, SimJobs.Late, JobAttemptOutcome.Failed, _random.Next(1, 3) * s_minute),
        4 or 5 => new Outcome.Failed(claim, SimJobs.Late, JobAttemptOutcome.Failed, RetryAfter: null),
        6 => new Outcome.Snoozed(claim, _random.Next(1, 3) * s_minute),
        7 => new Outcome.Skipped(claim, SimJobs.Revoked, IsRevoked: _random.Next(2) == 0),
        _ => new Outcome.Released(claim),
    };

    private async Task CancelAsync()
    {
        if (Any() is not { } run) return;
        _story.Add($"cancelled {run}");
        await CancelStatement.RunAsync(_db, [_ids[run]], "test", default);
        _store.Cancel(run);
    }

    private async Task RedriveAsync()
    {
        if (Any() is not { } run) return;
        var whole = _random.Next(3) == 0;
        _story.Add($"redrove {run}, whole graph: {whole}");
        await ExecuteAsync("select keelback.redrive(array[$1], 'test', $2)", _ids[run], whole);
        _store.Redrive(run, whole);
    }

    private Task BeatAsync()
    {
        var i = _random.Next(_workers.Count);
        var (model, real) = _workers[i];
        var isAlive = _store.Renew(model, s_lease);
        _story.Add($"{model} beat, alive: {isAlive}");
        Compare($"{isAlive}", $"{WorkerRegistry.Renew(_db, real, s_lease)}");
        if (!isAlive) _workers[i] = (_store.Return(model, s_lease), WorkerRegistry.Return(_db, real, new("test", "model", [], "{}"), s_lease));
        return Task.CompletedTask;
    }

    private Task DieAsync()
    {
        var i = _random.Next(_workers.Count);
        var (model, real) = _workers[i];
        _store.Leave(model);
        WorkerRegistry.Leave(_db, real);
        _workers[i] = (_store.Register(s_lease), WorkerRegistry.Register(_db, new("test", "model", [], "{}"), s_lease));
        _story.Add($"{model} died");
        return HandBackAsync();
    }

    private async Task SweepAsync()
    {
        await HandBackAsync();
        await PassAsync(); // the wait after a second death is over on both sides
    }

    private async Task HandBackAsync()
    {
        await new WorkerRegistry(_host.Db).ExpireAsync(default);
        foreach (var quarantines in (bool[])[false, true]) await SweepStatement.RunAsync(_host.Db, "test", CrashLimit, quarantines, RunChoice.All, 1000, default);
        _store.Sweep(CrashLimit);
        _story.Add("swept");
    }

    private async Task TimersAsync()
    {
        await PassAsync();
        await BeatAsync(); // of one whose attempts may be over their time
        while ((await TimerLoop.FireAsync(_db, "test", _rules, default)).Count > 0)
        {
        }

        _store.FireTimers(_rules);
        _story.Add("timers fired");
    }

    private async Task PromoteAsync()
    {
        await PromoteStatement.PageAsync(_db, "test", 0, default);
        _store.Promote();
        _story.Add("promoted");
    }

    private async Task StrangersAsync()
    {
        var (model, real) = _workers[_random.Next(_workers.Count)];
        var stranger = _random.Next(_held.Count + 1); // one: several go back in no certain order
        var known = _held.Where((_, i) => i != stranger).ToList();
        _store.Exchange(new() { Outcomes = [], Known = (model, [.. known.Select(claim => claim.Model.Token)]) });
        await ExchangeAsync(new() { Outcomes = [], Known = (real, [.. known.Select(claim => claim.Real.Token)]) });
        _story.Add($"{model} knows {string.Join(' ', known.Select(claim => claim.Model.Token))}");
    }

    private async Task PassAsync()
    {
        var by = _random.Next(1, 3) * s_minute + TimeSpan.FromSeconds(11);
        Clock.Advance(by);
        _clock.Move(by);
        _story.Add($"{by} pass");
        await Task.CompletedTask;
    }

    private SimRun? Any() => _store.Runs.Count == 0 ? null : _store.Runs[_random.Next(_store.Runs.Count)];

    private long Id(Claim model) => _ids[_store.Run(model.RunId)];

    private Task<ExchangeResult> ExchangeAsync(ExchangeRequest request) => Exchange.RunAsync(_db, request, prepare: false, default);

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, _db);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        await command.ExecuteNonQueryAsync();
    }

    // A line a run: what ended, how; what is open, where it stands.
    private string Model() => string.Join('\n', _store.Runs.Select(run => run.IsOpen
        ? $"{run.Id} of {run.MaxAttempts}: {string.Join(", ", Places(run))}"
        : $"{run.Id} of {run.MaxAttempts}: {run.State} {run.Attempt} {run.Output}"));

    private IEnumerable<string> Places(SimRun run) =>
    [
        .. _store.Waiting.Where(row => row.Run == run).Select(row => $"wait {row.Pending} {row.Attempt}"),
        .. _store.Ready.Where(row => row.Run == run).Select(row => $"ready {row.Attempt} {row.Crashes}"),
        .. _store.Parked.Where(row => row.Run == run).Select(row => $"parked {row.Attempt} {row.Crashes}"),
        .. _store.Claims.Where(row => row.Run == run).Select(row => $"claim {row.Attempt} {row.Crashes}"),
        .. _store.Timers.Where(row => row.Run == run && row.What == TimerWhat.Ready).Select(row => $"timer {row.Attempt} {row.Crashes}"),
    ];

    private async Task<string> RealAsync()
    {
        await using var command = new NpgsqlCommand(
            """
            select r.id, r.max_attempts, case when r.state = 0 then (
                select string_agg(what, ', ' order by place) from (
                    select 1 as place, format('wait %s %s', pending, attempt) as what from keelback.wait where run_id = r.id
                    union all select 2, format('ready %s %s', attempt, crashes) from keelback.ready where run_id = r.id
                    union all select 3, format('parked %s %s', attempt, crashes) from keelback.parked where run_id = r.id
                    union all select 4, format('claim %s %s', attempt, crashes) from keelback.claim where run_id = r.id
                    union all select 5, format('timer %s %s', attempt, crashes) from keelback.timer where run_id = r.id and what = 0) p)
                else format('%s %s %s', keelback.state_name(r.state), r.attempt, r.output) end
            from keelback.run r
            where r.id = any($1)
            """, _db);
        command.Parameters.AddWithValue(_ids.Values.ToArray());
        var lines = new Dictionary<long, string>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) lines[row.GetInt64(0)] = $"of {row.GetInt16(1)}: {row.GetString(2)}";
        return string.Join('\n', _store.Runs.Select(run => $"{run.Id} {lines[_ids[run]]}"));
    }
}
