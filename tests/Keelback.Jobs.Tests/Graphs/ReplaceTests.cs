using Keelback.Data.Tests;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>A job that puts a graph in its own place.</summary>
public sealed class ReplaceTests : JobsTest
{
    private static readonly EnqueueOptions s_later = new() { Delay = TimeSpan.FromHours(1) };
    private static readonly JobKind s_number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));
    private static readonly JobKind s_twice = TestJobs.Kind("twice", call => Task.FromResult(2 * call.Get<int>("n")));

    [Fact]
    public async Task A_replaced_job_keeps_its_id_and_followers_and_ends_with_the_graphs_result()
    {
        var bodies = 0;
        var split = TestJobs.Kind("split", call =>
        {
            bodies++;
            return Task.FromResult(Context(call).Replace(Sum(Number(1), Number(20))));
        });
        await using var host = await StartAsync(s_number, s_sum, s_twice, split);
        var first = split.Call<int>();
        var runs = await host.Jobs.EnqueueManyAsync([s_twice.Call<int>(null, new JobBinding("n", first)), first], default);

        var (follower, replaced) = (await host.EndOf(runs[0]), await host.EndOf(runs[1]));
        var graph = (await host.Jobs.GetGraphAsync(runs[1]))!;

        Assert.Equal((42, 21, 1, 1), (follower.Result<int>(), replaced.Result<int>(), replaced.Attempt, bodies));
        Assert.Equal((runs[0], 5), (graph.Root, graph.Nodes.Count));
        Assert.Single(graph.Edges, edge => edge.Rule == JobEdgeRule.Replacement && edge.Down == runs[1]);
        Assert.Equal("sum", graph.Nodes.Single(node => node.Id == graph.Nodes.Single(n => n.Id == runs[1]).ReplacedBy).Kind);
    }

    [Fact]
    public async Task Replacing_goes_to_any_depth()
    {
        // depth 3: split(3) = split(2) + split(2), and so on; split(0) = 1
        var split = TestJobs.Kind("split", call => Task.FromResult(0));
        split = TestJobs.Kind("split", call =>
        {
            var depth = call.Get<int>("depth");
            return Task.FromResult(depth == 0 ? 1 : Context(call).Replace(Sum(Split(depth - 1), Split(depth - 1))));
        });
        Job<int> Split(int depth) => split.Call<int>(new { depth });
        await using var host = await StartAsync(s_sum, split);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Split(4)));

        Assert.Equal(16, run.Result<int>());
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task A_graph_that_fails_fails_the_job_in_whose_place_it_stands_and_a_retry_does_not_run_its_body_again()
    {
        var (broken, bodies) = (true, 0);
        var shaky = TestJobs.Kind("shaky", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(40), d => d.MaxAttempts = 1);
        var split = TestJobs.Kind("split", call =>
        {
            bodies++;
            return Task.FromResult(Context(call).Replace(Sum(Number(2), shaky.Call<int>())));
        });
        await using var host = await StartAsync(s_number, s_sum, s_twice, shaky, split);
        var first = split.Call<int>();
        var runs = await host.Jobs.EnqueueManyAsync([s_twice.Call<int>(null, new JobBinding("n", first)), first]);

        var failed = await host.EndOf(runs[1]);
        Assert.Equal((JobRunState.Failed, JobRunState.UpstreamFailed), (failed.State, (await host.EndOf(runs[0])).State));
        Assert.EndsWith("no luck", failed.Error!.Message, StringComparison.Ordinal);
        broken = false;
        Assert.True(await host.Jobs.RetryAsync(runs[1]));

        Assert.Equal((84, 42, 1), ((await host.EndOf(runs[0])).Result<int>(), (await host.EndOf(runs[1])).Result<int>(), bodies));
    }

    [Fact]
    public async Task Cancelling_a_replaced_job_ends_what_took_its_place()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        var split = TestJobs.Kind("split", call =>
        {
            Context(call).Replace(Job.All([slow.Call(), slow.Call()]));
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(slow, split);
        var run = await host.Jobs.EnqueueAsync(split.Call());
        await gate.Started();
        await gate.Started();

        Assert.True(await host.Jobs.CancelAsync(run));

        await Eventually(() => Task.FromResult(gate.Cancelled == 2), "the attempts were stopped");
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    [Fact]
    public async Task Cancelling_a_job_that_is_just_being_replaced_ends_what_takes_its_place()
    {
        const string Waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        var split = TestJobs.Kind("split", call => Task.FromResult(Context(call).Replace(Sum(Number(1).With(s_later), Number(2).With(s_later)))));
        await using var host = JobHost.Create(Database, [split, s_sum, s_number]);
        var run = await host.Jobs.EnqueueAsync(split.Call<int>());
        await using var connection = await host.Db.OpenConnectionAsync();
        await using var held = await connection.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand("lock table keelback.edge in share mode", connection)) await command.ExecuteNonQueryAsync();
        await host.StartAsync();
        await Eventually(async () => await host.ScalarAsync<long>(Waiting) == 1, "the replacement has the claim, and waits");

        var cancel = Task.Run(() => host.Jobs.CancelAsync(run));
        await Eventually(async () => await host.ScalarAsync<long>(Waiting) == 2, "the cancellation waits for it");
        await held.RollbackAsync();

        Assert.True(await cancel);
        Assert.Equal(4, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 3"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run where state <> 3"));
    }

    [Fact]
    public async Task Cancelling_a_replaced_job_leaves_a_graph_that_it_had_merely_enqueued()
    {
        long own = 0;
        var split = TestJobs.Kind("split", async call =>
        {
            own = await call.Services.GetRequiredService<JobClient>().EnqueueAsync(Sum(Number(1).With(s_later)));
            return Context(call).Replace(Sum(Number(2).With(s_later)));
        });
        await using var host = await StartAsync(split, s_sum, s_number);
        var run = await host.Jobs.EnqueueAsync(split.Call<int>());
        await Eventually(async () => (await host.Jobs.GetAsync(run))!.State == JobRunState.Blocked, "it was replaced");

        Assert.True(await host.Jobs.CancelAsync(run));

        Assert.Equal(JobRunState.Blocked, (await host.Jobs.GetAsync(own))!.State);
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    [Fact]
    public async Task A_key_that_is_taken_from_a_run_within_a_replacement_ends_what_feeds_that_run()
    {
        var options = new EnqueueOptions { Unique = new("k") { OnConflict = UniqueConflict.Replace } };
        var split = TestJobs.Kind("split", call => Task.FromResult(Context(call).Replace(Sum(Number(2).With(s_later)).With(options))));
        await using var host = await StartAsync(split, s_sum, s_number);
        var run = await host.Jobs.EnqueueAsync(split.Call<int>());
        await Eventually(async () => (await host.Jobs.GetAsync(run))!.State == JobRunState.Blocked, "it was replaced");

        await host.Jobs.EnqueueAsync(Sum(Number(3)), options);

        Assert.Equal((3, 0), (await host.ScalarAsync<long>($"select count(*) from keelback.run where root = {run}"),
            await host.ScalarAsync<long>($"select count(*) from keelback.run where root = {run} and state <> 3")));
    }

    [Fact]
    public async Task A_graph_that_waits_for_the_job_it_replaces_is_refused_and_named()
    {
        var self = TestJobs.Kind<int>("self", call => Task.FromResult(Context(call).Replace(Sum(Job.Of<int>(Context(call).RunId)))));
        long below = 0;
        var gate = new Gate();
        var around = TestJobs.Kind("around", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return Context(call).Replace(Sum(Job.Of<int>(below)));
        });
        await using var host = await StartAsync(s_sum, s_twice, self, around);

        var direct = await host.EndOf(await host.Jobs.EnqueueAsync(self.Call<int>()));
        var first = await host.Jobs.EnqueueAsync(around.Call<int>());
        await gate.Started();
        below = await host.Jobs.EnqueueAsync(s_twice.Call<int>(null, new JobBinding("n", s_twice.Call<int>(null, new JobBinding("n", Job.Of<int>(first))))));
        gate.Open();
        var indirect = await host.EndOf(first);

        Assert.StartsWith("KB1244", direct.Error!.Message, StringComparison.Ordinal);
        Assert.Contains("which is itself", direct.Error!.Message, StringComparison.Ordinal);
        Assert.Contains($"{below}, which waits for it", indirect.Error!.Message, StringComparison.Ordinal);
        Assert.Equal((1, 1), (direct.Attempt, indirect.Attempt));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task A_job_may_end_as_a_run_that_exists_does()
    {
        var other = 0L;
        var same = TestJobs.Kind("same", call => Task.FromResult(Context(call).Replace(Job.Of<int>(other))));
        await using var host = await StartAsync(s_number, same);
        other = await host.Jobs.EnqueueAsync(Number(42));
        await host.EndOf(other);

        Assert.Equal(42, (await host.EndOf(await host.Jobs.EnqueueAsync(same.Call<int>()))).Result<int>());
    }

    // The next page of one piece of work: the key of the run goes on with it, through any number of pages, and back and forth between two kinds.
    [Theory, InlineData(UniqueConflict.Existing), InlineData(UniqueConflict.Reject), InlineData(UniqueConflict.Replace)]
    public async Task A_job_that_replaces_itself_by_a_call_with_its_own_unique_key_hands_the_key_on(UniqueConflict policy)
    {
        var gate = new Gate();
        var (ping, pong) = (s_number, s_number);
        ping = TestJobs.Kind<int>("ping", call => PageAsync(call, pong));
        pong = TestJobs.Kind<int>("pong", call => PageAsync(call, ping));
        async Task<int> PageAsync(JobCall call, JobKind next)
        {
            var n = call.Get<int>("n");
            if (n == 3) await gate.PassAsync(call.Cancellation);
            return n == 3 ? 42 : Context(call).Replace(Page(n == 0 ? ping : next, n + 1));
        }

        Job<int> Page(JobKind kind, int n) => kind.Call<int>(new { n }).With(new() { Unique = new("sync") { OnConflict = policy } });
        await using var host = await StartAsync(ping, pong);

        var run = await host.Jobs.EnqueueAsync(Page(ping, 0));
        await gate.Started();
        var last = await host.ScalarAsync<long>("select run_id from keelback.unique_key where key = 'kind:ping:sync'");
        var waiting = await host.Jobs.EnqueueAsync(ping.Call<int>(new { n = 9 }), new() { Unique = new("sync") });
        gate.Open();
        var ended = await host.EndOf(run);

        Assert.Equal((42, last), (ended.Result<int>(), waiting));
        Assert.Equal((4L, 2L), (await host.ScalarAsync<long>("select count(*) from keelback.run"), await host.ScalarAsync<long>("select count(*) from keelback.run where unique_key is not null")));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task A_replacement_whose_unique_key_another_run_has_ends_as_that_one_is_refused_or_takes_its_place()
    {
        var gate = new Gate();
        var sync = TestJobs.Kind("sync", async call =>
        {
            if (call.Get("waits", false)) await gate.PassAsync(call.Cancellation);
            return call.Get<int>("n");
        });
        var start = TestJobs.Kind("start", call => Task.FromResult(Context(call).Replace(Sync(7, call.Get<UniqueConflict>("policy")))), d => d.MaxAttempts = 1);
        Job<int> Sync(int n, UniqueConflict policy = default) => sync.Call<int>(new { n, waits = n == 1 }).With(new() { Unique = new("one") { OnConflict = policy } });
        await using var host = await StartAsync(sync, start, s_twice);
        Task<long> Start(UniqueConflict policy) => host.Jobs.EnqueueAsync(start.Call<int>(new { policy }));

        var holder = await host.Jobs.EnqueueAsync(Sync(1));
        await gate.Started();
        var joins = await Start(UniqueConflict.Existing);
        await Eventually(async () => (await host.Jobs.GetAsync(joins))!.State == JobRunState.Blocked, "it waits for the other");
        var refused = await host.EndOf(await Start(UniqueConflict.Reject));
        gate.Open();
        var joined = await host.EndOf(joins);
        gate = new();
        var second = await host.Jobs.EnqueueAsync(Sync(1));
        await gate.Started();
        var took = await host.EndOf(await Start(UniqueConflict.Replace));

        Assert.Equal((1, JobRunState.Succeeded), (joined.Result<int>(), (await host.EndOf(holder)).State));
        Assert.StartsWith($"KB1231: 'sync' was not enqueued: run {holder} has", refused.Error!.Message, StringComparison.Ordinal);
        Assert.Equal((7, JobRunState.Cancelled), (took.Result<int>(), (await host.EndOf(second)).State));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    [Theory, InlineData(UniqueConflict.Existing, "KB1244"), InlineData(UniqueConflict.Replace, "KB1208")]
    public async Task A_replacement_whose_unique_key_is_that_of_a_graph_it_is_part_of_is_refused_at_once(UniqueConflict policy, string code)
    {
        var crawl = s_number;
        var page = TestJobs.Kind("page", call => Task.FromResult(Context(call).Replace(Crawl(call.Get<UniqueConflict>("policy")))));
        crawl = TestJobs.Kind("crawl", call => Task.FromResult(Context(call).Replace(Sum(page.Call<int>(new { policy = call.Get<UniqueConflict>("policy") }), Number(1)))));
        Job<int> Crawl(UniqueConflict policy) => crawl.Call<int>(new { policy }).With(new() { Unique = new("one") { OnConflict = policy } });
        await using var host = await StartAsync(s_number, s_sum, page, crawl);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Crawl(policy)));
        var refused = await host.EndOf(await host.ScalarAsync<long>("select id from keelback.run where kind = 'page'"));

        Assert.Equal((JobRunState.Failed, JobRunState.Failed, 1), (run.State, refused.State, refused.Attempt));
        Assert.StartsWith(code, refused.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_handed_its_unique_key_on_is_opened_again_with_it()
    {
        var broken = true;
        var page = s_number;
        page = TestJobs.Kind("page", call => call.Get<int>("n") == 0 ? Task.FromResult(Context(call).Replace(Page(1))) : broken ? throw JobExit.Reject("no") : Task.FromResult(42));
        Job<int> Page(int n) => page.Call<int>(new { n }).With(new() { Unique = new("one") });
        await using var host = await StartAsync(page);
        var run = await host.Jobs.EnqueueAsync(Page(0));
        Assert.Equal(JobRunState.Failed, (await host.EndOf(run)).State);

        broken = false;
        Assert.True(await host.Jobs.RetryAsync(run));

        Assert.Equal(42, (await host.EndOf(run)).Result<int>());
    }

    // Without a worker: one that looks between the loss and the write would stop the attempt, and there would be no late write.
    [Fact]
    public async Task An_attempt_that_lost_its_run_replaces_nothing()
    {
        var late = 0;
        var split = TestJobs.Kind("split", call =>
        {
            late++;
            return Task.FromResult(Context(call).Replace(Sum(Number(1))));
        });
        await using var host = JobHost.Create(Database, [s_number, s_sum, split]);
        using var fenced = new FencedWrites(host);
        var run = await host.Jobs.EnqueueAsync(split.Call<int>());
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "split"));
        await host.ScalarAsync<long>("with c as (update keelback.claim set token = token + 1000 returning 1) select count(*) from c");

        using var job = new RunningJob(claim, TimeProvider.System);
        var outcome = await host.Services.GetRequiredService<JobRunner>().RunAsync(job, new WorkerIdentity(1, 1));

        Assert.Equal((new Outcome.Released(claim), 1, 1L), (outcome, late, fenced.Count));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal((run, claim.Token + 1000), (await host.ScalarAsync<long>("select run_id from keelback.claim"), await host.ScalarAsync<long>("select token from keelback.claim")));
    }

    [Fact]
    public async Task Two_that_name_runs_of_which_one_is_the_others_take_turns_before_they_lock_anything()
    {
        const string Waiting = "select count(*) from pg_locks where not granted and locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
        var gate = new Gate();
        long second = 0, third = 0;
        var slow = TestJobs.Kind("slow", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return 3;
        });
        var one = TestJobs.Kind("one", call => Task.FromResult(Context(call).Replace(Sum(Job.Of<int>(second)))), d => d.MaxAttempts = 1);
        var go = new TaskCompletionSource();
        var two = TestJobs.Kind("two", async call =>
        {
            await go.Task;
            return Context(call).Replace(Sum(Job.Of<int>(third)));
        }, d => d.MaxAttempts = 1);
        await using var host = await StartAsync(slow, one, two, s_sum);
        third = await host.Jobs.EnqueueAsync(slow.Call<int>());
        await gate.Started();

        await using var connection = await host.Db.OpenConnectionAsync();
        await using var turn = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('keelback.replace', 0))", connection)) await command.ExecuteNonQueryAsync();
        second = await host.Jobs.EnqueueAsync(two.Call<int>());
        var first = await host.Jobs.EnqueueAsync(one.Call<int>());
        await Eventually(async () => await host.ScalarAsync<long>(Waiting) == 1, "one waits for its turn");
        go.SetResult();
        await Eventually(async () => await host.ScalarAsync<long>(Waiting) == 2, "both wait for their turn");
        var free = await host.ScalarAsync<long>($"select count(*) from (select from keelback.claim where run_id in ({first}, {second}) for update skip locked) c");
        await turn.RollbackAsync();
        gate.Open();

        var ends = (await host.EndOf(first), await host.EndOf(second));
        Assert.Equal((2, JobRunState.Succeeded, JobRunState.Succeeded), (free, ends.Item1.State, ends.Item2.State));
    }

    [Theory, InlineData(PostgresErrorCodes.DeadlockDetected), InlineData(PostgresErrorCodes.SerializationFailure)]
    public async Task One_that_got_into_anothers_way_is_put_there_again_and_costs_no_attempt(string state)
    {
        var bodies = 0;
        var split = TestJobs.Kind("split", call =>
        {
            bodies++;
            return Task.FromResult(Context(call).Replace(Sum(Number(1), Number(20))));
        }, d => d.MaxAttempts = 1);
        await using var host = JobHost.Create(Database, [s_number, s_sum, split]);
        await DisturbOnceAsync(host, "insert on keelback.edge", state);
        await host.StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(split.Call<int>()));

        Assert.Equal((JobRunState.Succeeded, 21, 1, 1), (run.State, run.Result<int>(), run.Attempt, bodies));
        Assert.True(await host.ScalarAsync<bool>("select is_called from disturbed"));
    }

    [Theory, InlineData(LossyProxy.Lose.Answer), InlineData(LossyProxy.Lose.Commit)]
    public async Task A_graph_is_put_there_once_when_its_commit_or_the_answer_is_lost(LossyProxy.Lose what)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var host = JobHost.Create(proxy.ConnectionString, [s_number, s_sum], o => o.EnqueuePatience = Patience);
        var (told, events) = (new List<JobReplaced>(), host.Services.GetRequiredService<JobEvents>());
        using var listening = events.Subscribe<JobReplaced>(told.Add);
        var run = await host.Jobs.EnqueueAsync(Number(1));
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "number"));
        proxy.Arm();

        var replaced = Assert.IsType<Outcome.Replaced>(
            await host.Services.GetRequiredService<Replacement>().AloneAsync(claim, Sum(Number(1), Number(20)), "default", default));
        await events.DisposeAsync();

        Assert.Equal(1, proxy.Lost);
        Assert.Equal(new JobReplaced(run, "number", 1, replaced.By), Assert.Single(told));
        Assert.Equal("number number number sum", await host.ScalarAsync<string>("select string_agg(kind, ' ' order by kind) from keelback.run"));
        Assert.Equal(1, await host.ScalarAsync<long>($"select count(*) from keelback.run where id = {run} and replaced_by = {replaced.By}"));
    }

    private static JobContext Context(JobCall call) => call.Services.GetRequiredService<JobContext>();

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });

    private static Job<int> Sum(params Job<int>[] numbers) => s_sum.Call<int>(null, new JobBinding("numbers", Job.All(numbers)));
}
