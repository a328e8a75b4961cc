using System.Diagnostics;

namespace Keelback.Jobs.Tests;

public sealed class EnqueueTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Fact]
    public async Task Enqueueing_twice_with_one_id_gives_one_run()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var id = Guid.CreateVersion7();

        var runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.Jobs.EnqueueAsync(s_note.Call(), new() { Id = id })));

        Assert.Single(runs.Distinct());
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.ready"));
    }

    [Fact]
    public async Task An_id_is_one_apps_and_stands_for_one_kind()
    {
        var other = TestJobs.Kind("other", _ => Task.CompletedTask);
        await using var here = JobHost.Create(Database, [s_note, other], app: "here");
        await using var there = JobHost.Create(Database, [other], app: "there");
        var options = new EnqueueOptions { Id = Guid.CreateVersion7() };

        var run = await here.Jobs.EnqueueAsync(s_note.Call(), options);
        var theirs = await there.Jobs.EnqueueAsync(other.Call(), options);
        var error = await Assert.ThrowsAsync<KeelbackException>(() => here.Jobs.EnqueueAsync(other.Call(), options));

        Assert.Equal(("note", "other"), ((await here.Jobs.GetAsync(run))?.Kind, (await there.Jobs.GetAsync(theirs))?.Kind));
        Assert.Equal($"KB1232: 'other' was not enqueued: its id {options.Id} is that of run {run} of 'note'. " +
            "An id stands for one call: make a new one for each, and keep it only to make the same call again.", error.Message);
        Assert.Equal(2, await here.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Theory]
    [InlineData(PayloadRules.MaxBytes - 8, null)]
    [InlineData(PayloadRules.MaxBytes - 7, "KB1206")]
    public async Task Arguments_up_to_the_limit_are_stored_and_a_byte_more_is_refused(int length, string? code)
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var call = s_note.Call(new { a = new string('x', length) }); // {"a":"…"} is 8 bytes around it

        var error = await Record.ExceptionAsync(() => host.Jobs.EnqueueAsync(call));

        Assert.Equal(code, (error as KeelbackException)?.Code);
        Assert.Equal(code is null ? 1 : 0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Theory]
    [InlineData("\"\\u0000\"", false)]
    [InlineData("\"a\\\\u0000\"", true)]
    [InlineData("\"\\\\\\u0000\"", false)]
    [InlineData("\"\\ud83d\\ude00\"", true)]
    [InlineData("\"\\ud83d\"", false)]
    [InlineData("\"\\ude00\"", false)]
    [InlineData("\"\\ud83d\\n\"", false)]
    [InlineData("\"\\\"\\u0001\"", true)]
    public async Task What_jsonb_cannot_hold_is_refused_before_the_database_sees_it(string value, bool stored)
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var call = new Job(s_note, System.Text.Encoding.UTF8.GetBytes($$"""{"a":{{value}}}"""), []);

        var error = await Record.ExceptionAsync(() => host.Jobs.EnqueueAsync(call));

        Assert.Equal(stored ? null : "KB1207", (error as KeelbackException)?.Code ?? error?.Message);
    }

    [Fact]
    public async Task Options_out_of_range_are_refused_with_the_value()
    {
        await using var host = JobHost.Create(Database, [s_note]);

        var errors = new List<string>();
        foreach (var options in new EnqueueOptions[]
        {
            new() { Priority = 10 }, new() { MaxAttempts = 0 }, new() { Queue = "" },
            new() { Delay = TimeSpan.FromSeconds(1), At = DateTimeOffset.UnixEpoch }, new() { Timeout = TimeSpan.Zero },
            new() { Id = Guid.Empty }, new() { Queue = " " },
            new() { At = default(DateTimeOffset) }, new() { At = DateTimeOffset.MaxValue }, new() { Delay = TimeSpan.MaxValue }, new() { Delay = TimeSpan.FromSeconds(-1) },
        })
            errors.Add((await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(), options))).Message);

        Assert.Equal(
        [
            "KB1208: 'note' cannot be enqueued so: its priority (10) must be 0 to 9.",
            "KB1208: 'note' cannot be enqueued so: its attempts (0) must be 1 to 1,000.",
            "KB1208: 'note' cannot be enqueued so: its queue '': it must have 1 to 100 characters, and not blanks alone.",
            "KB1208: 'note' cannot be enqueued so: give it a delay or an instant, not both.",
            "KB1208: 'note' cannot be enqueued so: its timeout (00:00:00) must be between 1 ms and 24 days.",
            "KB1208: 'note' cannot be enqueued so: its id (00000000-0000-0000-0000-000000000000) is that of a Guid nobody has set, and would make every such call the first one's. Make one for each call: Guid.CreateVersion7().",
            "KB1208: 'note' cannot be enqueued so: its queue ' ': it must have 1 to 100 characters, and not blanks alone.",
            "KB1208: 'note' cannot be enqueued so: its instant (0001-01-01T00:00:00.0000000+00:00) must be in the years 1970 to 9998.",
            "KB1208: 'note' cannot be enqueued so: its instant (9999-12-31T23:59:59.9999999+00:00) must be in the years 1970 to 9998.",
            "KB1208: 'note' cannot be enqueued so: its delay (10675199.02:48:05.4775807) must not be over 100 years.",
            "KB1208: 'note' cannot be enqueued so: its delay (-00:00:01) must not be negative; a run without one is due at once.",
        ], errors);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task Options_given_to_the_call_win_over_the_jobs_own_member_by_member()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var job = s_note.Call().With(new() { Queue = "mail", Priority = 2, Delay = TimeSpan.FromHours(1) }).With(new() { MaxAttempts = 7 });

        var run = await host.Jobs.EnqueueAsync(job, new() { Priority = 8, At = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero), Timeout = TimeSpan.FromSeconds(9) });

        Assert.Equal("mail 8 7 9000 2200", await host.ScalarAsync<string>(
            "select format('%s %s %s %s %s', q.name, r.priority, r.max_attempts, r.timeout_ms, extract(year from r.due_at)) " +
            $"from keelback.run r join keelback.queue q on q.id = r.queue where r.id = {run}"));
    }

    [Fact]
    public async Task Many_jobs_at_once_have_no_ids()
    {
        await using var host = JobHost.Create(Database, [s_note]);

        var error = await Assert.ThrowsAsync<KeelbackException>(() =>
            host.Jobs.EnqueueManyAsync([s_note.Call(), s_note.Call().With(new() { Id = Guid.CreateVersion7() })]));

        Assert.Equal("KB1208: 'note' cannot be enqueued so: an id is for a single call; enqueue it by itself.", error.Message);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task Asking_for_a_queue_that_is_there_uses_up_no_number()
    {
        await using (var first = JobHost.Create(Database, [s_note])) await first.Jobs.EnqueueAsync(s_note.Call());
        for (var start = 0; start < 5; start++)
        {
            await using var again = JobHost.Create(Database, [s_note]);
            await again.Jobs.EnqueueAsync(s_note.Call());
        }

        await using var host = JobHost.Create(Database, [s_note]);
        await host.Jobs.EnqueueAsync(s_note.Call(), new() { Queue = "next" });

        Assert.Equal(1, await host.ScalarAsync<int>("select (max(id) - min(id))::int from keelback.queue where app = 'test'"));
    }

    [Fact]
    public async Task Many_jobs_are_enqueued_all_or_none()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var good = Enumerable.Range(0, 12_000).Select(i => s_note.Call(new { i }));

        await Assert.ThrowsAsync<KeelbackException>(() =>
            host.Jobs.EnqueueManyAsync(good.Append(s_note.Call(new { a = new string('x', PayloadRules.MaxBytes) }))));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));

        var watch = Stopwatch.StartNew();
        var runs = await host.Jobs.EnqueueManyAsync(good);

        Assert.Equal(12_000, runs.Distinct().Count());
        Assert.Equal(runs.Order(), runs);
        Assert.Equal(12_000, await host.ScalarAsync<long>("select count(*) from keelback.ready"));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Many_large_calls_are_written_by_pages_of_bytes()
    {
        var kind = TestJobs.Kind("large", _ => Task.CompletedTask);
        PlannedRun[] Runs(int count, int bytes) => [.. EnqueuePlan.Of(Enumerable.Repeat(bytes, count).Select(size => kind.Call(new { text = new string('x', size) }))).Runs];

        var large = EnqueueWriter.Pages(Runs(200, 250_000)).ToList();
        var small = EnqueueWriter.Pages(Runs(12_000, 10)).Select(page => page.Length);
        var huge = EnqueueWriter.Pages(Runs(2, 20_000_000)).Select(page => page.Length);

        Assert.All(large, page => Assert.InRange(page.Sum(run => run.Payload.Length), 1, 16 * 1024 * 1024));
        Assert.Equal((3, 200), (large.Count, large.SelectMany(page => page).Distinct().Count()));
        Assert.Equal([5000, 5000, 2000], small);
        Assert.Equal([1, 1], huge);
        Assert.Empty(EnqueueWriter.Pages([]));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Many_large_calls_are_there_in_order_or_not_at_all(bool isGraph)
    {
        var kind = TestJobs.Kind("large", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [kind]);
        var calls = Enumerable.Range(0, 100).Select(n => kind.Call(new { n, text = new string('x', 250_000) })).ToList();

        var runs = isGraph ? [await host.Jobs.EnqueueAsync(Job.All(calls))] : await host.Jobs.EnqueueManyAsync(calls);

        Assert.Equal(string.Join(' ', Enumerable.Range(0, 100)), await host.ScalarAsync<string>("select string_agg(input ->> 'n', ' ' order by id) from keelback.run where kind = 'large'"));
        Assert.Equal(isGraph ? 100 : 0, await host.ScalarAsync<long>("select count(*) from keelback.edge"));
        Assert.Equal(isGraph ? 101 : 100, runs.Length == 1 ? (await host.Jobs.GetGraphAsync(runs[0]))!.Nodes.Count : runs.Length);
    }

    [Fact]
    public async Task The_database_clock_beyond_the_prepared_weeks_is_a_clear_error_until_the_keeper_has_come()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        Clock.Advance(TimeSpan.FromDays(100));

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call()));
        await PartitionKeeper.MakeAsync(host.Db, default);

        Assert.Equal("KB1217: There is no partition for a new run: the database's clock is further ahead than any worker or 'migrate' has prepared. " +
            "Start a worker, or look at the database server's clock.", error.Message);
        await host.Jobs.EnqueueAsync(s_note.Call());
    }
}
