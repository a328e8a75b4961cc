using System.Collections.Concurrent;
using Keelback.Postgres;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keelback.Jobs.Tests;

/// <summary>What subscribers hear, and what becomes of the process when they do not listen.</summary>
public sealed class EventTests : JobsTest
{
    private sealed class Lines : ConcurrentQueue<string>, ILogger<JobEvents>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Enqueue(formatter(state, exception));
    }

    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);
    private static readonly JobKind s_number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));

    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    private readonly ConcurrentQueue<JobEvent> _heard = new();

    [Fact]
    public async Task Every_row_is_told_of_once_and_counted_and_nothing_else_is_whoever_wrote_it()
    {
        var split = TestJobs.Kind("split", call => Task.FromResult(Context(call).Replace(Number(1))));
        var splitInside = TestJobs.Kind("split-inside", call => Task.FromResult(Context(call).Replace(Number(2))), d => d.Transactional = true);
        await using var host = Listen(JobHost.Create(Database, [s_note, s_number, split, splitInside], data: k => k.AddData<Db>()));
        using var counted = new Measured(host.Services.GetRequiredService<JobTelemetry>().Enqueued);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Db>();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();

        EnqueueOptions unique = new() { Unique = new("one") }, sameId = new() { Id = Guid.CreateVersion7() };
        foreach (var options in new[] { unique, unique, sameId, sameId }) await host.Jobs.EnqueueAsync(s_note.Call(), options);
        await host.Jobs.EnqueueManyAsync([s_note.Call().With(unique), s_note.Call()]);
        db.Enqueue(() => s_note.Call());
        await db.SaveChangesAsync();
        await using (await db.Database.BeginTransactionAsync())
        {
            db.Enqueue(() => s_note.Call());
            await db.SaveChangesAsync(); // and rolled back
        }

        await schedules.AddAsync("nightly", Trigger.Every(TimeSpan.FromHours(1)), s_note.Call());
        await schedules.RunNowAsync("nightly");
        await host.StartAsync();
        foreach (var job in new[] { split.Call(), splitInside.Call(), Job.Map(new[] { 1, 2 }, n => s_number.Call<int>(null, EdgeRuleTests.Bound("n", n))) })
            await host.EndOf(await host.Jobs.EnqueueAsync(job));

        var told = (await HeardAsync(host)).OfType<JobEnqueued>().ToList();
        var rows = await RowsAsync(host);
        Assert.Equal(rows, told.OrderBy(e => e.RunId).Select(e => $"{e.RunId} {e.Kind} {e.Queue}"));
        Assert.Equal(rows.Count, counted.Tags.Count);
    }

    [Theory, InlineData(false, false), InlineData(false, true), InlineData(true, false), InlineData(true, true)]
    public async Task A_run_that_puts_a_graph_in_its_place_has_not_succeeded_until_that_has(bool transactional, bool broken)
    {
        var last = TestJobs.Kind("last", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(1), d => d.MaxAttempts = 1);
        var split = TestJobs.Kind("split", call => Task.FromResult(Context(call).Replace(last.Call<int>())), d => d.Transactional = transactional);
        await using var host = await Listen(JobHost.Create(Database, [last, split], data: k => k.AddData<Db>())).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(split.Call()));

        var told = (await HeardAsync(host)).OfType<JobRunEvent>().Where(e => e is not JobEnqueued).ToList();
        var by = (await host.Jobs.GetGraphAsync(run.Id))!.Nodes.Single(node => node.Kind == "last").Id;
        Assert.Equal(
        [
            new JobStarted(run.Id, "split", 1), new JobReplaced(run.Id, "split", 1, by),
            broken ? new JobFailed(run.Id, "split", 1, run.Error!) : new JobSucceeded(run.Id, "split", 1),
        ], told.Where(e => e.RunId == run.Id));
        Assert.Equal(by, told[^2].RunId); // its end is what this one ends by
    }

    [Fact]
    public async Task A_run_that_was_replaced_is_told_to_end_when_its_graph_ended_before_the_worker_said_so()
    {
        await using var host = Listen(JobHost.Create(Database, [s_note, s_number]));
        var run = await host.Jobs.EnqueueAsync(s_note.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var replaced = await host.Services.GetRequiredService<Replacement>()
            .AloneAsync(Assert.Single(await ClaimAsync(host, connection, worker, "note")), Number(1), "default", default);
        var last = Assert.Single(await ClaimAsync(host, connection, worker, "number"));

        Outcome[] outcomes = [replaced, new Outcome.Succeeded(last, default)];
        var result = await Exchange.RunAsync(connection, new() { Outcomes = outcomes }, prepare: false, default);
        host.Services.GetRequiredService<JobNews>().Told(outcomes, result);

        Assert.Equal([last.RunId, run], (await HeardAsync(host)).OfType<JobSucceeded>().Select(e => e.RunId));
    }

    [Fact]
    public async Task A_subscriber_that_returns_a_task_is_awaited_in_order_and_its_failure_is_logged()
    {
        var (log, told) = (new Lines(), new ConcurrentQueue<string>());
        var (entered, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var events = new JobEvents(_ => Task.FromResult<List<JobRunEvent>>([]), TimeProvider.System, log);
        using var failing = events.Subscribe<WorkerStarted>(async e =>
        {
            await Task.Yield();
            throw new InvalidOperationException("a bad subscriber");
        });
        using var slow = events.Subscribe<WorkerStarted>(async e =>
        {
            told.Enqueue($"{e.Id} begins");
            entered.TrySetResult();
            await go.Task;
            told.Enqueue($"{e.Id} ends");
        });
        using var quick = events.Subscribe<WorkerStarted>(e => told.Enqueue($"{e.Id} quick"));

        events.Raise(new WorkerStarted(1));
        events.Raise(new WorkerStarted(2));
        await entered.Task.WaitAsync(Patience);
        Assert.Equal(["1 begins"], told);
        go.SetResult();
        await events.DisposeAsync(); // when all is told

        Assert.Equal(["1 begins", "1 ends", "1 quick", "2 begins", "2 ends", "2 quick"], told);
        Assert.Equal(2, log.Count);
    }

    [Fact]
    public async Task A_cancellation_is_told_and_what_ends_because_of_it()
    {
        await using var host = Listen(JobHost.Create(Database, [s_note]));
        var first = s_note.Call();
        var runs = await host.Jobs.EnqueueManyAsync([first, s_note.Call().After(first)]);

        await host.Jobs.CancelAsync(runs[0]);
        await host.Jobs.CancelAsync(runs[0]);

        Assert.Equal([new JobCancelled(runs[0], "note", null), new JobUpstreamFailed(runs[1], "note", (await host.Jobs.GetAsync(runs[1]))!.Error!)],
            (await HeardAsync(host)).Where(e => e is not JobEnqueued));
    }

    [Fact]
    public async Task What_waits_for_a_run_that_had_failed_before_is_told_as_it_is_enqueued()
    {
        var broken = TestJobs.Kind("broken", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        await using var host = await Listen(JobHost.Create(Database, [s_note, broken])).StartAsync();
        var failed = await host.EndOf(await host.Jobs.EnqueueAsync(broken.Call()));

        var below = await host.Jobs.EnqueueAsync(s_note.Call().After(Job.Of(failed.Id)));

        Assert.Equal(["JobEnqueued", "JobUpstreamFailed"], (await HeardAsync(host)).OfType<JobRunEvent>().Where(e => e.RunId == below).Select(e => e.GetType().Name));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task What_ends_because_of_an_attempts_end_is_told_after_it(bool transactional)
    {
        var done = TestJobs.Kind("done", _ => Task.CompletedTask, d => d.Transactional = transactional);
        await using var host = await Listen(JobHost.Create(Database, [s_note, done], data: k => k.AddData<Db>())).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(done.Call().OnError(_ => s_note.Call())));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal([nameof(JobStarted), nameof(JobSucceeded), nameof(JobSkipped)],
            (await HeardAsync(host)).OfType<JobRunEvent>().Where(e => e is not JobEnqueued).Select(e => e.GetType().Name));
        Assert.Equal(run.Id, _heard.OfType<JobSucceeded>().Single().RunId);
    }

    [Fact]
    public async Task A_run_that_expires_is_told()
    {
        await using var host = await Listen(JobHost.Create(Database, [s_note], o => o.Queues.Add("other"), clock: Clock)).StartAsync();
        var late = await host.Jobs.EnqueueAsync(s_note.Call(), new() { ExpiresAfter = TimeSpan.FromMinutes(1) });

        Clock.Advance(TimeSpan.FromSeconds(61));
        var run = await host.EndOf(late);

        Assert.Equal(new JobExpired(late, "note", run.Error!), (await HeardAsync(host)).OfType<JobExpired>().Single());
    }

    [Fact]
    public async Task A_run_that_is_quarantined_is_told_and_what_ends_because_of_it()
    {
        await using var host = Listen(JobHost.Create(Database, [s_note], o => o.CrashLimit = 1));
        var first = s_note.Call();
        var runs = await host.Jobs.EnqueueManyAsync([first, s_note.Call().After(first)]);
        await using var connection = await host.Db.OpenConnectionAsync();
        Assert.Single(await ClaimAsync(host, connection, "note"));
        await host.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");

        await host.Rescuer.SweepAsync(default);

        var told = await HeardAsync(host);
        Assert.Equal(new JobsRescued(1, 1), told.OfType<JobsRescued>().Single());
        Assert.Equal((runs[0], 1, "Quarantined"), told.OfType<JobQuarantined>().Select(e => (e.RunId, e.Attempt, e.Error.Type)).Single());
        Assert.Equal(runs[1], told.OfType<JobUpstreamFailed>().Single().RunId);
    }

    [Fact]
    public async Task An_attempt_whose_time_a_timer_has_called_is_told_as_failed()
    {
        var slow = TestJobs.Kind("slow", _ => Task.CompletedTask, d => (d.MaxAttempts, d.Timeout) = (1, "00:00:01"));
        await using var host = Listen(JobHost.Create(Database, [slow], o => o.Queues.Add("other"), clock: Clock));
        var run = await host.Jobs.EnqueueAsync(slow.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        Assert.Single(await ClaimAsync(host, connection, "slow")); // by a worker that lives, but does not stop it
        await host.ScalarAsync<long>("with w as (update keelback.worker set lease_until = keelback.clock() + lease + interval '1 h' returning 1) select count(*) from w");
        Clock.Advance(TimeSpan.FromSeconds(10));

        await host.Services.GetRequiredService<TimerLoop>().LookAsync(connection, default);

        var failed = (await HeardAsync(host)).OfType<JobFailed>().Single();
        Assert.Equal((run, "slow", 1), (failed.RunId, failed.Kind, failed.Attempt));
    }

    [Fact]
    public async Task What_a_worker_writes_as_it_stops_is_told()
    {
        await using var host = Listen(JobHost.Create(Database, [s_note]));
        var run = await host.Jobs.EnqueueAsync(s_note.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claim = Assert.Single(await ClaimAsync(host, connection, worker, "note"));

        await new WorkerDrain(host.Db, host.Services.GetRequiredService<JobNews>(), TimeProvider.System, NullLogger.Instance)
            .HandBackAsync(worker, [new Outcome.Succeeded(claim, default)], []);

        Assert.Equal(new JobSucceeded(run, "note", 1), (await HeardAsync(host)).OfType<JobSucceeded>().Single());
    }

    [Theory, InlineData("40P01"), InlineData("40001")]
    public async Task What_gets_into_anothers_way_as_a_worker_stops_is_written_all_the_same(string state)
    {
        await using var host = Listen(JobHost.Create(Database, [s_note]));
        var run = await host.Jobs.EnqueueAsync(s_note.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claim = Assert.Single(await ClaimAsync(host, connection, worker, "note"));
        await DisturbOnceAsync(host, "update on keelback.run", state);

        await new WorkerDrain(host.Db, host.Services.GetRequiredService<JobNews>(), TimeProvider.System, NullLogger.Instance)
            .HandBackAsync(worker, [new Outcome.Succeeded(claim, default)], []);

        Assert.Equal(JobRunState.Succeeded, (await host.Jobs.GetAsync(run))!.State);
        Assert.Equal(new JobSucceeded(run, "note", 1), (await HeardAsync(host)).OfType<JobSucceeded>().Single());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task What_was_written_and_whose_answer_was_lost_is_told_as_what_it_is_and_not_as_fenced(bool succeeds)
    {
        await using var host = Listen(JobHost.Create(Database, [s_note]));
        using var fenced = new FencedWrites(host);
        var run = await host.Jobs.EnqueueAsync(s_note.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claim = Assert.Single(await ClaimAsync(host, connection, worker, "note"));
        var error = JobError.From(new InvalidOperationException("no luck"));
        Outcome outcome = succeeds ? new Outcome.Succeeded(claim, default) : new Outcome.Failed(claim, error, JobAttemptOutcome.Failed, TimeSpan.FromHours(1));
        await Exchange.RunAsync(connection, new() { Outcomes = [outcome] }, prepare: false, default); // and nobody hears of it
        var drain = new WorkerDrain(host.Db, host.Services.GetRequiredService<JobNews>(), TimeProvider.System, NullLogger.Instance);

        await drain.HandBackAsync(worker, [outcome], [], new HashSet<Outcome> { outcome });
        var doubted = fenced.Count;
        await drain.HandBackAsync(worker, [new Outcome.Succeeded(claim with { Attempt = 2 }, default)], [], new HashSet<Outcome> { outcome });

        Assert.Equal((0, 1), (doubted, fenced.Count));
        Assert.Equal([succeeds ? new JobSucceeded(run, "note", 1) : new JobRetried(run, "note", 1, error, TimeSpan.FromHours(1))],
            (await HeardAsync(host)).OfType<JobRunEvent>().Where(e => e is not JobEnqueued));
    }

    [Fact]
    public async Task A_worker_tells_that_it_lost_its_lease_and_that_it_takes_no_more()
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = Listen(JobHost.Create(Database, [s_note]));
        using var first = host.Services.GetRequiredService<JobEvents>().Subscribe<WorkerLeaseLost>(_ => lost.TrySetResult());
        await host.StartAsync();

        await host.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");
        host.Worker.Heartbeat.Beat();
        await lost.Task.WaitAsync(Patience);

        Assert.Equal([nameof(WorkerStarted), nameof(WorkerLeaseLost), nameof(WorkerDraining), nameof(WorkerStopped)],
            (await HeardAsync(host)).Select(e => e.GetType().Name));
    }

    [Fact]
    public async Task A_subscriber_that_blocks_costs_no_more_than_so_many_events_and_is_told_of_in_the_log()
    {
        var (lines, heard, entered, go) = (new Lines(), 0, new TaskCompletionSource(), new ManualResetEventSlim());
        await using var events = new JobEvents(NoEnds, TimeProvider.System, lines);
        using var blocked = events.Subscribe<WorkerStopped>(_ =>
        {
            entered.TrySetResult();
            Assert.True(go.Wait(Patience));
            heard++;
        });
        events.Raise(new WorkerStopped());
        await entered.Task.WaitAsync(Patience);

        for (var i = 0; i < JobEvents.Capacity + 7; i++) events.Raise(new WorkerStopped());
        var warned = lines.ToArray();
        go.Set();
        await events.DisposeAsync();

        Assert.Equal($"{JobEvents.Capacity} events wait for their subscribers; what comes is dropped until half of them are told", Assert.Single(warned));
        Assert.Equal(JobEvents.Capacity + 1, heard);
        Assert.Equal("7 events were dropped, because their subscribers were too slow", lines.Last());
    }

    [Fact]
    public async Task A_subscriber_that_blocks_does_not_hold_up_the_end_of_the_process()
    {
        var (lines, clock, entered, go) = (new Lines(), new TestClock(), new TaskCompletionSource(), new ManualResetEventSlim());
        var events = new JobEvents(NoEnds, clock, lines);
        using var blocked = events.Subscribe<WorkerStopped>(_ =>
        {
            entered.TrySetResult();
            go.Wait();
        });
        events.Raise(new WorkerStopped());
        events.Raise(new WorkerStopped());
        await entered.Task.WaitAsync(Patience);

        var end = events.DisposeAsync().AsTask();
        clock.Advance(JobEvents.Patience);
        await end.WaitAsync(Patience);

        Assert.Equal($"1 events were not told: a subscriber has not come to its end within {JobEvents.Patience}", Assert.Single(lines));
        go.Set();
    }

    private JobHost Listen(JobHost host)
    {
        host.Services.GetRequiredService<JobEvents>().Subscribe<JobEvent>(_heard.Enqueue);
        return host;
    }

    /// <summary>After the last of what the host did.</summary>
    private async Task<IReadOnlyList<JobEvent>> HeardAsync(JobHost host)
    {
        await host.StopAsync();
        await host.Services.GetRequiredService<JobEvents>().DisposeAsync();
        return [.. _heard];
    }

    private static async Task<List<string>> RowsAsync(JobHost host)
    {
        await using var command = host.Db.CreateCommand(
            "select r.id || ' ' || r.kind || ' ' || q.name from keelback.run r join keelback.queue q on q.id = r.queue order by r.id");
        var rows = new List<string>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) rows.Add(row.GetString(0));
        return rows;
    }

    private static Task<List<JobRunEvent>> NoEnds(long[] runs) => Task.FromResult<List<JobRunEvent>>([]);

    private static JobContext Context(JobCall call) => call.Services.GetRequiredService<JobContext>();

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });
}
