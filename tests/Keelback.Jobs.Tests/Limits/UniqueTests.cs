using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

public sealed class UniqueTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Theory, InlineData(UniqueConflict.Existing), InlineData(UniqueConflict.Reject), InlineData(UniqueConflict.Replace)]
    public async Task Of_a_hundred_who_enqueue_one_key_at_once_one_run_is_open(UniqueConflict policy)
    {
        await using var host = JobHost.Create(Database, [s_note]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            try
            {
                return await host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = new("one") { OnConflict = policy } });
            }
            catch (KeelbackException e) when (e.Code == "KB1231")
            {
                return 0;
            }
        }));

        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
        var open = await host.ScalarAsync<long>("select id from keelback.run where state = 0");
        var distinct = answers.Distinct().ToList();
        switch (policy)
        {
            case UniqueConflict.Existing:
                Assert.Equal([open], distinct);
                break;
            case UniqueConflict.Reject:
                Assert.Equal((99, 1), (answers.Count(id => id == 0), answers.Count(id => id == open)));
                break;
            default:
                Assert.Equal(100, distinct.Count);
                Assert.Equal(99, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 3 and error ->> 'type' = 'Replaced'"));
                break;
        }
    }

    [Fact]
    public async Task The_error_names_the_run_that_has_the_key()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var options = new EnqueueOptions { Unique = new("one") { OnConflict = UniqueConflict.Reject } };
        var first = await host.Jobs.EnqueueAsync(s_note.Call(), options);

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(), options));

        Assert.Equal($"KB1231: 'note' was not enqueued: run {first} has its unique key 'kind:note:one'. Wait for that run, or answer it: OnConflict = Existing.", error.Message);
    }

    [Fact]
    public async Task An_id_whose_call_made_no_run_is_free()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var options = new EnqueueOptions { Unique = new("one"), Id = Guid.CreateVersion7() };
        var first = await host.Jobs.EnqueueAsync(s_note.Call(), options with { Id = null });

        var answers = new[] { await host.Jobs.EnqueueAsync(s_note.Call(), options), await host.Jobs.EnqueueAsync(s_note.Call(), options) };
        await host.Jobs.CancelAsync(first);
        var made = await host.Jobs.EnqueueAsync(s_note.Call(), options);

        Assert.Equal([first, first], answers);
        Assert.Equal((JobRunState.Ready, made), ((await host.Jobs.GetAsync(made))!.State, await host.Jobs.EnqueueAsync(s_note.Call(), options)));
    }

    [Fact]
    public async Task A_key_is_free_again_when_its_run_has_ended_and_its_window_is_over()
    {
        await using var host = await StartAsync(s_note);
        var options = new EnqueueOptions { Unique = new("one") { Window = TimeSpan.FromHours(1) } };
        var first = await host.Jobs.EnqueueAsync(s_note.Call(), options);
        await host.EndOf(first);

        var within = await host.Jobs.EnqueueAsync(s_note.Call(), options);
        Clock.Advance(TimeSpan.FromMinutes(61));
        var after = await host.Jobs.EnqueueAsync(s_note.Call(), options);

        Assert.Equal(first, within);
        Assert.NotEqual(first, after);
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(after)).State);
    }

    [Fact]
    public async Task A_key_that_is_kept_until_the_start_lets_one_wait_while_one_runs()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = await StartAsync(slow);
        var options = new EnqueueOptions { Unique = new("one") { Until = UniqueUntil.Started }, Limits = null };
        var running = await host.Jobs.EnqueueAsync(slow.Call(), options);
        await gate.Started();

        var waiting = await host.Jobs.EnqueueAsync(slow.Call(), options with { Delay = TimeSpan.FromHours(1) });
        var same = await host.Jobs.EnqueueAsync(slow.Call(), options);

        Assert.NotEqual(running, waiting);
        Assert.Equal(waiting, same);
        gate.Open();
    }

    [Fact]
    public async Task A_key_that_is_kept_until_the_start_stays_free_when_the_run_is_put_off()
    {
        var tries = 0;
        var shy = TestJobs.Kind("shy", _ => Interlocked.Increment(ref tries) == 1 ? throw JobExit.Snooze(TimeSpan.FromHours(1)) : Task.CompletedTask);
        await using var host = await StartAsync(shy);
        var options = new EnqueueOptions { Unique = new("one") { Until = UniqueUntil.Started } };
        var first = await host.Jobs.EnqueueAsync(shy.Call(), options);
        await Eventually(async () => await host.Jobs.GetAsync(first) is { State: JobRunState.Scheduled }, "it is put off");

        var second = await host.Jobs.EnqueueAsync(shy.Call(), options);

        Assert.NotEqual(first, second);
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(second)).State);
    }

    [Fact]
    public async Task Replacing_a_graph_cancels_all_of_it()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var options = new EnqueueOptions { Unique = new("one") { OnConflict = UniqueConflict.Replace } };
        var first = await host.Jobs.EnqueueAsync(s_note.Call().After(s_note.Call(), s_note.Call()), options);

        var second = await host.Jobs.EnqueueAsync(s_note.Call(), options);

        Assert.Equal([3, 3, 3], (await host.Jobs.GetGraphAsync(first))!.Nodes.Select(node => node.State == JobRunState.Cancelled ? 3 : 0));
        Assert.Equal((1L, second), (await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0"), await host.ScalarAsync<long>("select id from keelback.run where state = 0")));
    }

    [Fact]
    public async Task An_id_whose_call_was_refused_is_free_for_a_caller_who_goes_on_without_the_job()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var holder = await host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = new("one") });
        var refused = new EnqueueOptions { Id = Guid.CreateVersion7(), Unique = new("one") { OnConflict = UniqueConflict.Reject } };
        await using var connection = await host.Db.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            var plan = EnqueuePlan.Of([s_note.Call()], refused);
            var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Services.GetRequiredService<EnqueueWriter>().WriteAsync(plan, connection, default));
            Assert.Equal("KB1231", error.Code);
            await transaction.CommitAsync();
        }

        Assert.True(await host.Jobs.CancelAsync(holder));
        var anew = await host.Jobs.EnqueueAsync(s_note.Call(), refused);
        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(anew))!.State);
    }

    [Fact]
    public async Task Replacing_cancels_the_attempt_that_runs()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => call.Get("quick", false) ? Task.CompletedTask : gate.PassAsync(call.Cancellation));
        await using var host = await StartAsync(slow);
        var options = new EnqueueOptions { Unique = new("one") { OnConflict = UniqueConflict.Replace } };
        var first = await host.Jobs.EnqueueAsync(slow.Call(), options);
        await gate.Started();

        var second = await host.Jobs.EnqueueAsync(slow.Call(new { quick = true }), options);

        Assert.Equal((JobRunState.Cancelled, $"Run {second} has its unique key now."), await host.EndOf(first) is { } r ? (r.State, r.Error!.Message) : default);
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(second)).State);
        await Eventually(() => Task.FromResult(gate.Cancelled == 1), "the attempt is cancelled");
    }

    [Fact]
    public async Task Replacing_a_run_ends_what_waits_for_it()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var options = new EnqueueOptions { Unique = new("one") { OnConflict = UniqueConflict.Replace } };
        var first = await host.Jobs.EnqueueAsync(s_note.Call(), options);
        var follower = await host.Jobs.EnqueueAsync(s_note.Call().After(Job.Of<object>(first)));

        await host.Jobs.EnqueueAsync(s_note.Call(), options);

        Assert.Equal(JobRunState.UpstreamFailed, (await host.Jobs.GetAsync(follower))?.State);
    }

    [Fact]
    public async Task A_transaction_that_rolls_back_gives_its_key_to_who_waited_for_it()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await host.Jobs.EnqueueAsync(s_note.Call()); // so that the queue has its number
        await using var connection = await host.Db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var take = new Npgsql.NpgsqlCommand("select keelback.take_unique('test', 'kind:note:one', 1, null, false, 0::smallint)", connection))
            await take.ExecuteNonQueryAsync();

        var waits = host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = new("one") });
        await Eventually(() => host.ScalarAsync<bool>("select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%take_unique%')"), "the other waits");
        await transaction.RollbackAsync();

        Assert.NotNull(await host.Jobs.GetAsync(await waits));
    }

    [Fact]
    public async Task The_attributes_key_is_made_of_arguments_and_counts_within_its_scope()
    {
        var kind = new JobKind("sync", typeof(UniqueTests), new("sync"), static _ => default) { Metadata = [new UniqueAttribute("{order.CustomerId}")] };
        await using var host = JobHost.Create(Database, [kind, s_note]);
        Job Sync(int id) => kind.Call(new { order = new { customerId = id } });

        var runs = await host.Jobs.EnqueueManyAsync([Sync(1), Sync(2), Sync(1)]);
        var again = await host.Jobs.EnqueueAsync(Sync(2));
        var other = await host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = new("2") });
        var app = new EnqueueOptions { Unique = new("2") { Scope = UniqueScope.App } };
        var (third, fourth) = (await host.Jobs.EnqueueAsync(s_note.Call(), app), await host.Jobs.EnqueueAsync(Sync(5), app));

        Assert.Equal((runs[0], runs[1]), (runs[2], again));
        Assert.Equal(4, new[] { runs[0], runs[1], other, third }.Distinct().Count());
        Assert.Equal(third, fourth);
        Assert.Equal(4, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task In_a_graph_only_the_job_that_is_enqueued_can_be_unique()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var unique = new EnqueueOptions { Unique = new("one") };

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call().After(s_note.Call().With(unique))));
        var first = await host.Jobs.EnqueueAsync(s_note.Call().After(s_note.Call()), unique);
        var second = await host.Jobs.EnqueueAsync(s_note.Call().After(s_note.Call()), unique);

        Assert.Equal("KB1208: 'note' cannot be enqueued so: a unique key belongs to the job that is enqueued, not to one that it waits for.", error.Message);
        Assert.Equal((first, 2), (second, await host.ScalarAsync<long>("select count(*) from keelback.run")));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_run_is_not_opened_again_while_another_has_its_key(bool isGraph)
    {
        var fail = true;
        var gate = new Gate();
        var sync = TestJobs.Kind("sync", call => fail ? throw JobExit.Reject("no") : gate.PassAsync(call.Cancellation));
        await using var host = await StartAsync(sync, s_note);
        var options = new EnqueueOptions { Unique = new("one") };
        Job Call() => isGraph ? sync.Call().After(s_note.Call()) : sync.Call();
        async Task<bool> RetryAsync(long run) => isGraph ? await host.Jobs.RetryGraphAsync(run) > 0 : await host.Jobs.RetryAsync(run);

        var first = await host.Jobs.EnqueueAsync(Call(), options);
        await host.EndOf(first);
        fail = false;
        var second = await host.Jobs.EnqueueAsync(Call(), options);
        await gate.Started();
        var error = await Assert.ThrowsAsync<KeelbackException>(() => RetryAsync(first));
        var refused = (await host.Jobs.GetAsync(first))!.State;
        gate.Open();
        await host.EndOf(second);
        gate = new();
        var isOpen = await RetryAsync(first);
        await gate.Started();
        var third = await host.Jobs.EnqueueAsync(Call(), options);
        gate.Open();

        Assert.Equal($"KB1233: Run {first} was not opened again: run {second} has its unique key 'kind:sync:one' now. " +
            "Wait for that run, or cancel it; then retry this one.", error.Message);
        Assert.Equal((JobRunState.Failed, true, first), (refused, isOpen, third));
    }

    [Fact]
    public async Task A_run_that_has_started_is_opened_again_beside_one_that_waits_if_its_key_was_until_then()
    {
        var fail = true;
        var sync = TestJobs.Kind("sync", _ => fail ? throw JobExit.Reject("no") : Task.CompletedTask);
        await using var host = await StartAsync(sync);
        var options = new EnqueueOptions { Unique = new("one") { Until = UniqueUntil.Started } };
        var first = await host.Jobs.EnqueueAsync(sync.Call(), options);
        await host.EndOf(first);
        var waiting = await host.Jobs.EnqueueAsync(sync.Call(), options with { Delay = TimeSpan.FromHours(1) });

        fail = false;
        Assert.True(await host.Jobs.RetryAsync(first));

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(first)).State);
        Assert.Equal(waiting, await host.Jobs.EnqueueAsync(sync.Call(), options));
    }

    [Fact]
    public async Task What_an_argument_holds_is_no_place_of_the_key()
    {
        var kind = s_note.With(new UniqueAttribute("{a}/{b}"));
        await using var host = JobHost.Create(Database, [kind]);

        var runs = await host.Jobs.EnqueueManyAsync([kind.Call(new { a = "{b}", b = "x" }), kind.Call(new { a = "x", b = "x" })]);

        Assert.Equal(2, runs.Distinct().Count());
        Assert.Equal("kind:note:x/x kind:note:{b}/x", await host.ScalarAsync<string>("select string_agg(key, ' ' order by key collate \"C\") from keelback.unique_key"));
    }

    [Fact]
    public async Task Keys_that_cannot_be_are_refused_with_the_reason()
    {
        await using var host = JobHost.Create(Database, [s_note]);

        var errors = new List<string>();
        foreach (var (call, options) in new (object, EnqueueOptions)[]
        {
            (new { }, new() { Unique = new(" ") }), (new { }, new() { Limits = [new('x', 201)] }), (new { a = 1 }, new() { Tenant = "{nosuch}" }),
            (new { a = (int?)null }, new() { Tenant = "{a}" }), (new { a = new[] { 1 } }, new() { Unique = new("{a}") }), (new { }, new() { Unique = new("{a") }),
            (new { }, new() { Limits = ["#queue:x"] }), (new { }, new() { Limits = ["nosuch:1"] }),
            (new { }, new() { Unique = new("a") { Window = TimeSpan.FromSeconds(-1) } }),
        })
            errors.Add((await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(call), options))).Message);

        Assert.Equal(
        [
            "KB1225: The key ' ' of 'note' cannot be used: it is empty.",
            $"KB1225: The key '{new string('x', 100)}…' of 'note' cannot be used: it has 201 characters, and 200 are the most. Hash what makes it long.",
            "KB1225: The key '{nosuch}' of 'note' cannot be used: its call has no 'nosuch'.",
            "KB1225: The key '{a}' of 'note' cannot be used: 'a' is null.",
            "KB1225: The key '{a}' of 'note' cannot be used: 'a' is not one value, but a list.",
            "KB1225: The key '{a' of 'note' cannot be used: a '{' or '}' has no partner.",
            "KB1225: The key '#queue:x' of 'note' cannot be used: a key that begins with '#' is the engine's.",
            "KB1226: No limit is called 'nosuch'. Give it numbers: on a [Limit(\"nosuch\", Slots = …)], in Keelback:Jobs:Limits:nosuch, or by JobLimits.SetAsync.",
            "KB1208: 'note' cannot be enqueued so: its unique key's window (-00:00:01) must be more than zero, and not over 100 years.",
        ], errors);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }
}
