namespace Keelback.Jobs.Tests;

public sealed class WorkerTests : JobsTest
{
    [Fact]
    public async Task A_job_gets_its_arguments_and_leaves_its_result()
    {
        var add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("a") + call.Get<int>("b")));
        await using var host = await StartAsync(add);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(add.Call(new { a = 40, b = 2 })));

        Assert.Equal((JobRunState.Succeeded, 1, 42), (run.State, run.Attempt, run.Result<int>()));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_transaction_that_holds_a_run_holds_up_neither_the_worker_that_ends_it_nor_its_other_jobs(bool cancels)
    {
        var (gate, started) = (new Gate(), 0);
        var held = TestJobs.Kind("held", async call =>
        {
            Interlocked.Increment(ref started);
            await gate.PassAsync(CancellationToken.None);
        });
        var other = TestJobs.Kind("other", _ => Task.CompletedTask);
        await using var host = await StartAsync(held, other);
        var runs = await host.Jobs.EnqueueManyAsync([held.Call(), held.Call()]);
        for (var i = 0; i < 2; i++) await gate.Started();
        await using (var connection = await host.Db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var hold = new Npgsql.NpgsqlCommand(cancels
                ? "select keelback.cancel(array[$1], 'test')"
                : "select from keelback.run where id = $1 for update", connection);
            hold.Parameters.AddWithValue(runs[0]);
            await hold.ExecuteNonQueryAsync();
            gate.Open();

            Assert.Equal(JobRunState.Succeeded, (await host.EndOf(runs[1])).State);
            for (var i = 0; i < 3; i++) Assert.Equal(JobRunState.Succeeded, (await host.EndOf(await host.Jobs.EnqueueAsync(other.Call()))).State);
            Assert.Equal(JobRunState.Running, (await host.Jobs.GetAsync(runs[0]))!.State);
            if (cancels) await transaction.CommitAsync();
        }

        Assert.Equal((cancels ? JobRunState.Cancelled : JobRunState.Succeeded, 2), ((await host.EndOf(runs[0])).State, started));
    }

    [Fact]
    public async Task A_worker_that_stops_while_a_transaction_holds_a_run_leaves_in_time_and_hands_it_back()
    {
        var gate = new Gate();
        var held = TestJobs.Kind("held", _ => gate.PassAsync(CancellationToken.None));
        await using var host = await JobHost.Create(Database, [held], o => o.ShutdownTimeout = TimeSpan.FromSeconds(1)).StartAsync();
        var run = await host.Jobs.EnqueueAsync(held.Call());
        await gate.Started();
        await using (var connection = await host.Db.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await using var hold = new Npgsql.NpgsqlCommand("select from keelback.run where id = $1 for update", connection);
            hold.Parameters.AddWithValue(run);
            await hold.ExecuteNonQueryAsync();
            gate.Open();
            await Eventually(() => Task.FromResult(host.Worker.Running == 0), "the job ended");

            await host.StopAsync();

            Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
        }

        await using var next = await StartAsync(held);
        Assert.Equal((JobRunState.Succeeded, 1), ((await next.EndOf(run)).State, (await next.Jobs.GetAsync(run))!.Attempt));
    }

    [Fact]
    public async Task A_job_that_fails_is_tried_again_and_its_failures_are_kept()
    {
        var tries = 0;
        var flaky = TestJobs.Kind("flaky", _ => Interlocked.Increment(ref tries) < 3
            ? throw new InvalidOperationException($"no \0 luck {tries}")
            : Task.FromResult("at last"));
        await using var host = await StartAsync(flaky);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(flaky.Call()));

        Assert.Equal((JobRunState.Succeeded, 3, "at last"), (run.State, run.Attempt, run.Result<string>()));
        var attempts = await host.Jobs.GetAttemptsAsync(run.Id);
        Assert.Equal([1, 2], attempts.Select(a => a.Number));
        Assert.All(attempts, a => Assert.Equal((JobAttemptOutcome.Failed, typeof(InvalidOperationException).FullName), (a.Outcome, a.Error!.Type)));
    }

    [Fact]
    public async Task The_details_of_an_error_show_the_inner_exceptions_too()
    {
        var deep = TestJobs.Kind("deep", _ => throw new InvalidOperationException("outside", new TimeoutException("inside")), d => d.MaxAttempts = 1);
        await using var host = await StartAsync(deep);

        var error = (await host.EndOf(await host.Jobs.EnqueueAsync(deep.Call()))).Error!;

        Assert.Equal((typeof(InvalidOperationException).FullName, "outside"), (error.Type, error.Message));
        Assert.StartsWith("System.InvalidOperationException: outside\n ---> System.TimeoutException: inside\n", error.Details!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains(nameof(The_details_of_an_error_show_the_inner_exceptions_too), error.Details, StringComparison.Ordinal); // the stack
    }

    [Fact]
    public async Task A_job_ends_as_failed_when_its_attempts_are_spent()
    {
        var tries = 0;
        var broken = TestJobs.Kind("broken", _ =>
        {
            Interlocked.Increment(ref tries);
            throw new InvalidOperationException("never");
        }, defaults => defaults.MaxAttempts = 2);
        await using var host = await StartAsync(broken);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(broken.Call()));

        Assert.Equal((JobRunState.Failed, 2, 2, "never"), (run.State, run.Attempt, tries, run.Error!.Message));
        Assert.StartsWith("KB1209", Assert.Throws<KeelbackException>(() => run.Result<int>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delayed_job_waits_for_its_time()
    {
        var later = TestJobs.Kind("later", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [later], clock: Clock).StartAsync();

        var run = await host.Jobs.EnqueueAsync(later.Call(), new() { Delay = TimeSpan.FromHours(1) });
        Assert.Equal(JobRunState.Scheduled, (await host.Jobs.GetAsync(run))!.State);
        Clock.Advance(TimeSpan.FromMinutes(61));

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(run)).State);
    }

    [Fact]
    public async Task No_more_jobs_run_at_once_than_the_concurrency_allows()
    {
        int now = 0, most = 0;
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", async call =>
        {
            var running = Interlocked.Increment(ref now);
            InterlockedMax(ref most, running);
            await gate.PassAsync(call.Cancellation);
            Interlocked.Decrement(ref now);
        });
        await using var host = await JobHost.Create(Database, [slow], o => o.Concurrency = 3).StartAsync();

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => slow.Call()));
        for (var i = 0; i < 3; i++) await gate.Started();
        Assert.Equal(3, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
        gate.Open();
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal(3, most);
    }

    [Fact]
    public async Task An_attempt_over_its_timeout_is_cancelled_and_tried_again()
    {
        var tries = 0;
        var slow = TestJobs.Kind("slow", async call =>
        {
            if (Interlocked.Increment(ref tries) == 1) await Task.Delay(Timeout.InfiniteTimeSpan, call.Cancellation);
        }, defaults => defaults.Timeout = "00:00:00.2");
        await using var host = await StartAsync(slow);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(slow.Call()));

        Assert.Equal((JobRunState.Succeeded, 2), (run.State, run.Attempt));
        var attempt = Assert.Single(await host.Jobs.GetAttemptsAsync(run.Id));
        Assert.Equal(JobAttemptOutcome.TimedOut, attempt.Outcome);
        Assert.StartsWith("KB1215", attempt.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_that_ignores_its_timeout_loses_its_run()
    {
        var tries = 0;
        var gate = new Gate();
        var deaf = TestJobs.Kind("deaf", async _ =>
        {
            if (Interlocked.Increment(ref tries) == 1) await gate.PassAsync(CancellationToken.None);
            return tries;
        }, defaults => defaults.Timeout = "00:00:00.2");
        await using var host = await JobHost.Create(Database, [deaf], clock: Clock).StartAsync();

        var id = await host.Jobs.EnqueueAsync(deaf.Call());
        await gate.Started();
        Clock.Advance(TimeSpan.FromSeconds(10));
        var run = await host.EndOf(id);
        gate.Open();

        Assert.Equal((JobRunState.Succeeded, 2, 2), (run.State, run.Attempt, run.Result<int>()));
    }

    [Fact]
    public async Task The_deadline_of_a_claim_that_was_handed_back_does_not_end_the_next_one()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation), defaults => (defaults.Timeout, defaults.MaxAttempts) = ("00:10:00", 1));
        static void Options(JobsOptions o) => (o.ShutdownTimeout, o.Lease) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        long id;
        await using (var first = await JobHost.Create(Database, [slow], Options, clock: Clock).StartAsync())
        {
            id = await first.Jobs.EnqueueAsync(slow.Call());
            await gate.Started();
            Clock.Advance(TimeSpan.FromMinutes(8));
            await first.StopAsync();
        }

        await using var second = await JobHost.Create(Database, [slow], Options, clock: Clock).StartAsync();
        await gate.Started();
        Clock.Advance(TimeSpan.FromMinutes(4)); // past the first deadline, and not near the second
        await Eventually(() => second.ScalarAsync<bool>("select count(*) = 1 from keelback.timer"), "the first deadline falls away");
        gate.Open();

        Assert.Equal((JobRunState.Succeeded, 1), await second.EndOf(id) is { } run ? (run.State, run.Attempt) : default);
    }

    [Fact]
    public async Task A_run_whose_transaction_commits_after_later_ones_have_run_is_found()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [quick], clock: Clock).StartAsync();
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var writer = (EnqueueWriter)host.Services.GetService(typeof(EnqueueWriter))!;
        var late = (await writer.WriteAsync(EnqueuePlan.Of([quick.Call()]), connection, default))[0];
        for (var i = 0; i < 4; i++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(200)); // the marks below which claims do not look follow 100 ms behind
            await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call()));
        }

        await transaction.CommitAsync();

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(late)).State);
    }

    [Fact]
    public async Task The_longest_timeout_can_be_claimed()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await StartAsync(quick);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call(), new() { Timeout = TimeSpan.FromMilliseconds(int.MaxValue) }));

        Assert.Equal(JobRunState.Succeeded, run.State);
    }

    [Fact]
    public async Task A_claim_whose_run_was_cancelled_at_the_same_moment_does_not_stay()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = await StartAsync(slow);
        var id = await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        // What a cancellation leaves that did not see the claim yet.
        await host.ScalarAsync<long>($"with u as (update keelback.run set state = 3, finished_at = now() where id = {id} returning id) select id from u");

        await Eventually(() => host.ScalarAsync<bool>("select not exists (select from keelback.claim)"), "the claim goes");
        Assert.Equal(1, gate.Cancelled);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.ready"));
    }

    [Fact]
    public async Task Who_stops_a_worker_that_is_being_stopped_waits_until_it_has()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", _ => gate.PassAsync(CancellationToken.None));
        await using var host = await StartAsync(slow);
        await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        var first = host.Worker.StopAsync(default);
        var second = host.Worker.StopAsync(default);
        var early = second.IsCompleted;
        gate.Open();
        await second;

        Assert.False(early);
        Assert.Equal((true, 0), (first.IsCompleted || host.Worker.ExecuteTask!.IsCompleted, host.Worker.Running));
        await first;
    }

    [Fact]
    public async Task Cancelling_reaches_the_running_attempt()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = await StartAsync(slow);
        var run = await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        Assert.True(await host.Jobs.CancelAsync(run));

        Assert.Equal(JobRunState.Cancelled, (await host.EndOf(run)).State);
        await Eventually(() => Task.FromResult(gate.Cancelled == 1 && host.Worker.Running == 0), "the token was cancelled");
        Assert.False(await host.Jobs.CancelAsync(run));
    }

    [Fact]
    public async Task A_cancelled_job_that_waits_is_never_run()
    {
        var ran = 0;
        var count = TestJobs.Kind("count", _ => Task.FromResult(Interlocked.Increment(ref ran)));
        await using var host = JobHost.Create(Database, [count]);
        var cancelled = await host.Jobs.EnqueueAsync(count.Call());
        var kept = await host.Jobs.EnqueueAsync(count.Call());
        await host.Jobs.CancelAsync(cancelled);

        await host.StartAsync();

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(kept)).State);
        Assert.Equal((JobRunState.Cancelled, 1), ((await host.EndOf(cancelled)).State, ran));
    }

    [Fact]
    public async Task A_stopping_worker_keeps_what_ends_and_hands_the_rest_back_with_its_attempt()
    {
        var (polite, deaf) = (new Gate(), new Gate());
        var kinds = new[]
        {
            TestJobs.Kind("polite", call => polite.PassAsync(call.Cancellation)),
            TestJobs.Kind("deaf", _ => deaf.PassAsync(CancellationToken.None)),
        };
        await using var host = await JobHost.Create(Database, kinds, o => o.ShutdownTimeout = TimeSpan.FromSeconds(1)).StartAsync();
        var runs = await host.Jobs.EnqueueManyAsync(kinds.Select(kind => kind.Call()));
        await Task.WhenAll(polite.Started(), deaf.Started());

        var stopwatch = System.Diagnostics.Stopwatch.StartNew();
        await host.StopAsync();

        Assert.InRange(stopwatch.Elapsed, TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(5));
        Assert.Equal(1, polite.Cancelled);
        foreach (var run in runs)
            Assert.Equal((JobRunState.Ready, 0), await host.Jobs.GetAsync(run) is { } r ? (r.State, r.Attempt) : default);
        Assert.Equal(new[] { 0L, 0L, 2L }, new[]
        {
            await host.ScalarAsync<long>("select count(*) from keelback.claim"),
            await host.ScalarAsync<long>("select count(*) from keelback.worker"),
            await host.ScalarAsync<long>("select count(*) from keelback.ready where attempt = 0 and crashes = 0"),
        });
        deaf.Open();
    }

    [Fact]
    public async Task A_stopping_worker_claims_nothing_more()
    {
        var ran = 0;
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", async call =>
        {
            Interlocked.Increment(ref ran);
            await gate.PassAsync(call.Cancellation);
        });
        await using var host = await JobHost.Create(Database, [slow], o => o.Concurrency = 1).StartAsync();
        await host.Jobs.EnqueueManyAsync([slow.Call(), slow.Call()]);
        await gate.Started();

        var stopping = host.StopAsync();
        gate.Open();
        await stopping;

        Assert.Equal((1, 1L), (ran, await host.ScalarAsync<long>("select count(*) from keelback.ready")));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 1"));
    }

    [Fact]
    public async Task A_kind_that_is_not_known_goes_back_with_its_attempt_and_a_delay()
    {
        var known = TestJobs.Kind("known", _ => Task.CompletedTask);
        await using var host = await StartAsync(known);

        var unknown = await host.Jobs.EnqueueAsync(TestJobs.Kind("nown", _ => Task.CompletedTask).Call());
        await host.EndOf(await host.Jobs.EnqueueAsync(known.Call()));

        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(unknown))!.State);
        Assert.True(await host.ScalarAsync<bool>(
            "select bool_and(attempt = 0 and at between keelback.clock() + '3 s' and keelback.clock() + '30 s') from keelback.timer"));
        Assert.Equal("KB1203: No handler for job kind 'nown'; it was handed back. Did you mean 'known'? " +
            "Deploy the code that has it; if it is deployed, in a library of which this program names no type, add it by AddJobsOf(assembly). " +
            "Or take its queue off this process in Keelback:Jobs:Queues.", JobErrors.UnknownKind("nown", "known"));
    }

    [Fact]
    public async Task Two_apps_on_one_database_do_not_see_each_others_queues()
    {
        var (here, there) = (0, 0);
        await using var first = await JobHost.Create(
            Database, [TestJobs.Kind("same", _ => Task.FromResult(Interlocked.Increment(ref here)))], app: "first").StartAsync();
        await using var second = await JobHost.Create(
            Database, [TestJobs.Kind("same", _ => Task.FromResult(Interlocked.Increment(ref there)))], app: "second").StartAsync();

        var call = TestJobs.Kind("same", _ => Task.CompletedTask).Call();
        var runs = await first.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => call.With(new EnqueueOptions())));
        foreach (var run in runs) await first.EndOf(run);

        Assert.Equal((20, 0), (here, there));
        Assert.Null(await second.Jobs.GetAsync(runs[0]));
        Assert.False(await second.Jobs.CancelAsync(runs[0]));
    }

    [Fact]
    public async Task Urgent_jobs_come_first_and_equals_in_order()
    {
        var order = new List<string>();
        var note = TestJobs.Kind("note", call =>
        {
            lock (order) order.Add(call.Get<string>("name"));
            return Task.CompletedTask;
        });
        await using var host = JobHost.Create(Database, [note], o => o.Concurrency = 1);
        var runs = await host.Jobs.EnqueueManyAsync(
        [
            note.Call(new { name = "a" }), note.Call(new { name = "b" }),
            note.Call(new { name = "urgent" }).With(new() { Priority = 0 }), note.Call(new { name = "last" }).With(new() { Priority = 9 }),
        ]);

        await host.StartAsync();
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal(["urgent", "a", "b", "last"], order);
    }

    [Fact]
    public async Task A_result_that_cannot_be_stored_fails_its_run_and_no_other()
    {
        var odd = TestJobs.Kind("odd", call => Task.FromResult(call.Get<string>("what") switch
        {
            "large" => new string('x', PayloadRules.MaxBytes),
            "nul" => "a\0b",
            _ => "fine",
        }));
        await using var host = await StartAsync(odd);

        var runs = await host.Jobs.EnqueueManyAsync(new[] { "large", "nul", "fine" }.Select(what => odd.Call(new { what })));
        var ended = new List<JobRun>();
        foreach (var run in runs) ended.Add(await host.EndOf(run));

        Assert.Equal([JobRunState.Failed, JobRunState.Failed, JobRunState.Succeeded], ended.Select(r => r.State));
        Assert.Equal([1, 1, 1], ended.Select(r => r.Attempt));
        Assert.StartsWith("KB1212", ended[0].Error!.Message, StringComparison.Ordinal);
        Assert.StartsWith("KB1213", ended[1].Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_that_is_smaller_than_the_concurrency_is_an_error_at_start()
    {
        await using var host = JobHost.Create(Database, [], o => o.Concurrency = 97);

        var error = await Assert.ThrowsAsync<KeelbackException>(host.StartAsync);

        Assert.Equal("KB1202: Keelback:Jobs:Concurrency (97) needs a pool of 105 connections, and 'Maximum Pool Size' is 100: " +
            "jobs would wait for each other's connections. Raise the pool or lower the concurrency.", error.Message);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; seen < value; seen = target)
            if (Interlocked.CompareExchange(ref target, value, seen) == seen) return;
    }
}
