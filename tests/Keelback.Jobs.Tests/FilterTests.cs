using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>What runs around jobs and beside them: filters, events, traces.</summary>
public sealed class FilterTests : JobsTest
{
    private static readonly JobKind s_add = TestJobs.Kind("add", call => Task.FromResult(call.Get("n", 1) + 1));

    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    private sealed class Story : ConcurrentQueue<string>;

    private sealed class Outer(Story story) : IJobFilter
    {
        public async ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
        {
            story.Enqueue($"outer before {job.Context.Kind} {job.Payload}");
            await next(job);
            story.Enqueue($"outer after {Encoding.UTF8.GetString(job.Result.Span)}");
        }
    }

    private sealed class Doubling(Story story) : IJobFilter
    {
        public async ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
        {
            story.Enqueue("inner");
            await next(job);
            job.Result = Encoding.UTF8.GetBytes($"{2 * int.Parse(Encoding.UTF8.GetString(job.Result.Span), null)}");
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class AnsweredAttribute : JobMetadataAttribute, IJobFilter
    {
        public ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
        {
            job.Result = "99"u8.ToArray(); // without a call of the rest
            return default;
        }
    }

    private sealed class Watching(Story story) : IJobFilter
    {
        public async ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
        {
            try
            {
                await next(job);
                story.Enqueue($"{job.Context.Kind} ended '{Encoding.UTF8.GetString(job.Result.Span)}'");
            }
            catch (Exception e)
            {
                story.Enqueue($"{job.Context.Kind} threw {e.GetType().Name}");
                throw;
            }
        }
    }

    private sealed class Replacing : IJobFilter
    {
        public ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
        {
            if (job.Context.Kind == "answered") job.Context.Replace(s_add.Call<int>(new { n = 7 }));
            return next(job);
        }
    }

    private sealed class Stamp : IEnqueueFilter
    {
        public void OnEnqueue(JobEnqueue job)
        {
            if (job.Kind == "banned") throw new InvalidOperationException($"not with {job.ReadPayload()}");
            job.Options = job.Options with { Queue = "stamped", MaxAttempts = 7 };
        }
    }

    private sealed class Tagging : IEnqueueFilter
    {
        public void OnEnqueue(JobEnqueue job)
        {
            if (job.Kind == "body") job.Options = job.Options with { Tags = ["told"] };
            else if (job.Options.Priority == 9) job.Options = job.Options with { Id = Guid.CreateVersion7() };
        }
    }

    [Fact]
    public async Task Tags_that_a_filter_gives_go_through_the_graph_and_its_ids_obey_the_rules_for_ids()
    {
        var (member, body) = (TestJobs.Kind("member", _ => Task.CompletedTask), TestJobs.Kind("body", _ => Task.CompletedTask));
        await using var host = JobHost.Create(Database, [member, body], services: s => s.AddSingleton<IEnqueueFilter, Tagging>());

        await host.Jobs.EnqueueAsync(body.Call().After(member.Call()));
        var late = await Assert.ThrowsAsync<KeelbackException>(() =>
            host.Jobs.EnqueueAsync(body.Call().After(member.Call().With(new() { Priority = 9 }))));

        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.tag where tag = 'told'"));
        Assert.Equal("KB1208", late.Code);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Filters_run_around_the_method_in_their_order(bool transactional)
    {
        var story = new Story();
        var add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("n") + 1), d => d.Transactional = transactional);
        await using var host = await JobHost.Create(Database, [add], services: s => s.AddSingleton(story), data: k =>
            k.AddData<Db>().AddJobFilter<Outer>().AddJobFilter<Doubling>("add")).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(add.Call(new { n = 4 })));

        Assert.Equal(10, run.Result<int>());
        Assert.Equal(["outer before add {\"n\": 4}", "inner", "outer after 10"], story);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task To_filters_a_job_that_a_graph_takes_the_place_of_has_ended(bool transactional)
    {
        var story = new Story();
        var split = TestJobs.Kind("split", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(s_add.Call<int>())), d => d.Transactional = transactional);
        var answered = TestJobs.Kind("answered", _ => Task.FromResult(1), d => d.Transactional = transactional);
        await using var host = await JobHost.Create(Database, [s_add, split, answered], services: s => s.AddSingleton(story), data: k =>
            k.AddData<Db>().AddJobFilter<Watching>().AddJobFilter<Replacing>()).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(split.Call()));
        var byFilter = await host.EndOf(await host.Jobs.EnqueueAsync(answered.Call()));

        Assert.Equal((2, 8), (run.Result<int>(), byFilter.Result<int>()));
        Assert.Equal(["split ended ''", "add ended '2'", "answered ended ''", "add ended '8'"], story);
    }

    [Fact]
    public async Task A_filter_that_is_added_for_all_and_for_a_job_and_twice_runs_once()
    {
        var story = new Story();
        await using var host = await JobHost.Create(Database, [s_add], services: s => s.AddSingleton(story), data: k =>
            k.AddJobFilter<Watching>().AddJobFilter<Watching>().AddJobFilter<Watching>("add")).StartAsync();

        await host.EndOf(await host.Jobs.EnqueueAsync(s_add.Call()));

        Assert.Single(story);
    }

    [Fact]
    public async Task A_filter_may_answer_in_the_methods_place_and_its_error_is_the_attempts()
    {
        var ran = 0;
        var answered = TestJobs.Kind("answered", _ => Task.FromResult(++ran)).With(new AnsweredAttribute());
        await using var host = await StartAsync(answered);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(answered.Call()));

        Assert.Equal((99, 0), (run.Result<int>(), ran));
    }

    [Fact]
    public async Task A_filter_of_enqueueing_changes_options_or_refuses_whichever_way_the_run_comes()
    {
        await using var host = JobHost.Create(Database, [s_add], data: k => k.AddData<Db>().AddEnqueueFilter<Stamp>());
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Db>();

        var alone = await host.Jobs.EnqueueAsync(s_add.Call(), new() { Priority = 2 });
        db.Enqueue(() => s_add.Call());
        await db.SaveChangesAsync();
        db.Enqueue(() => s_add.Call());
        db.SaveChanges();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.Jobs.EnqueueAsync(TestJobs.Kind("banned", _ => Task.CompletedTask).Call(new { n = 1 })));

        Assert.Equal("stamped", (await host.Jobs.GetAsync(alone))!.Queue);
        Assert.Equal("stamped 2 7, stamped 4 7, stamped 4 7", await host.ScalarAsync<string>(
            "select string_agg(q.name || ' ' || r.priority || ' ' || r.max_attempts, ', ' order by r.id) from keelback.run r join keelback.queue q on q.id = r.queue"));
        Assert.Equal("not with {\"n\":1}", error.Message);
    }

    [Fact]
    public async Task Subscribers_hear_in_order_what_happened_to_a_run()
    {
        var tries = 0;
        var heard = new ConcurrentQueue<JobEvent>();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var job = TestJobs.Kind("job", _ => Interlocked.Increment(ref tries) switch
        {
            1 => throw JobExit.Snooze(TimeSpan.Zero),
            2 => throw new IOException("disk"),
            _ => Task.CompletedTask,
        });
        await using var host = JobHost.Create(Database, [job]);
        var events = host.Services.GetRequiredService<JobEvents>();
        using var failing = events.Subscribe<JobStarted>(_ => throw new InvalidOperationException("a bad subscriber"));
        using var all = events.Subscribe<JobEvent>(heard.Enqueue);
        using var last = events.Subscribe<JobSucceeded>(_ => ended.SetResult());
        await host.StartAsync();

        var run = await host.Jobs.EnqueueAsync(job.Call());
        await ended.Task.WaitAsync(Patience);

        Assert.Equal(
        [
            nameof(WorkerStarted), "JobEnqueued", "JobStarted", "JobSnoozed", "JobStarted", "JobRetried", "JobStarted", "JobSucceeded",
        ], heard.Select(e => e.GetType().Name).OrderBy(name => name == "JobEnqueued" ? 1 : name == nameof(WorkerStarted) ? 0 : 2));
        Assert.All(heard.OfType<JobRunEvent>(), e => Assert.Equal((run, "job"), (e.RunId, e.Kind)));
        Assert.Equal(("disk", 1), heard.OfType<JobRetried>().Select(e => (e.Error.Message, e.Attempt)).Single());
    }

    [Fact]
    public async Task Subscribers_hear_of_runs_that_had_nothing_to_do_or_may_not_run_and_of_the_workers_end()
    {
        var heard = new ConcurrentQueue<JobEvent>();
        var idle = TestJobs.Kind("idle", _ => throw JobExit.Ignore("Nothing to do"));
        var banned = TestJobs.Kind("banned", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [idle, banned]);
        var events = host.Services.GetRequiredService<JobEvents>();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var all = events.Subscribe<JobEvent>(heard.Enqueue);
        using var last = events.Subscribe<WorkerStopped>(_ => stopped.SetResult());
        await host.Services.GetRequiredService<JobRevocations>().RevokeKindAsync("banned", reason: "It mails twice");
        await host.StartAsync();

        var skipped = await host.EndOf(await host.Jobs.EnqueueAsync(idle.Call()));
        var revoked = await host.EndOf(await host.Jobs.EnqueueAsync(banned.Call()));
        await host.StopAsync();
        await stopped.Task.WaitAsync(Patience);

        Assert.Equal((skipped.Id, "Nothing to do"), heard.OfType<JobSkipped>().Select(e => (e.RunId, e.Reason.Message)).Single());
        Assert.Equal(revoked.Id, heard.OfType<JobRevoked>().Single().RunId);
        Assert.Contains("It mails twice", heard.OfType<JobRevoked>().Single().Reason.Message, StringComparison.Ordinal);
        Assert.IsType<WorkerStopped>(heard.Last());
    }

    [Fact]
    public async Task Subscribers_hear_of_an_attempt_that_is_given_up_and_of_what_a_dead_worker_held()
    {
        var gate = new Gate();
        var abandoned = new TaskCompletionSource<JobAbandoned>(TaskCreationOptions.RunContinuationsAsynchronously);
        var rescued = new TaskCompletionSource<JobsRescued>(TaskCreationOptions.RunContinuationsAsynchronously);
        var deaf = TestJobs.Kind("deaf", _ => gate.PassAsync(CancellationToken.None), d => (d.Timeout, d.MaxAttempts) = ("00:00:00.1", 1));
        var slow = TestJobs.Kind("slow", _ => gate.PassAsync(CancellationToken.None));
        await using var host = JobHost.Create(Database, [deaf, slow], o => (o.Concurrency, o.AbandonAfter) = (1, TimeSpan.FromMilliseconds(100)));
        var events = host.Services.GetRequiredService<JobEvents>();
        using var first = events.Subscribe<JobAbandoned>(e => abandoned.TrySetResult(e));
        using var second = events.Subscribe<JobsRescued>(e => rescued.TrySetResult(e));
        await host.StartAsync();

        var bad = await host.Jobs.EnqueueAsync(deaf.Call());
        var told = await abandoned.Task.WaitAsync(Patience);
        await gate.Started();
        await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();
        host.Worker.Heartbeat.Paused = true;
        await host.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");

        Assert.Equal((bad, "deaf", 1), (told.RunId, told.Kind, told.Attempt));
        Assert.Equal(new(1, 0), await rescued.Task.WaitAsync(Patience));
        gate.Open();
    }

    [Fact]
    public async Task A_filter_around_a_job_that_does_not_exist_is_found_before_the_start()
    {
        await using var host = JobHost.Create(Database, [s_add], data: k => k.AddJobFilter<Doubling>("ad").AddJobFilter<Doubling>("add").AddJobFilter<Doubling>());
        var findings = new Findings();

        await new JobsCheck(host.Services).RunAsync(findings, default);

        Assert.Equal("Doubling is a filter around the job 'ad', and this program has none of that name: it would never run. Did you mean 'add'? " +
            "Name the job as the database does, or leave the name out for a filter around all: AddJobFilter<T>().", Assert.Single(findings.All, f => f.Code == "KB1286").Message);
    }

    [Fact]
    public async Task The_trace_of_the_request_goes_on_in_the_job()
    {
        var spans = new ConcurrentQueue<Activity>();
        await using var host = await StartAsync(s_add);
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Keelback.Jobs" or "test-request",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("test-request");
        using var request = source.StartActivity("GET /checkout");

        var id = await host.Jobs.EnqueueAsync(s_add.Call(), new() { Queue = "mail" });
        await host.EndOf(id);
        await Eventually(() => Task.FromResult(Mine().Count() == 2), "both spans ended");

        var (producer, consumer) = (Mine().Single(s => s.Kind == ActivityKind.Producer), Mine().Single(s => s.Kind == ActivityKind.Consumer));
        Assert.Equal(("enqueue add", request!.SpanId), (producer.DisplayName, producer.ParentSpanId));
        Assert.Equal(("add", producer.SpanId), (consumer.DisplayName, consumer.ParentSpanId));
        foreach (var span in new[] { producer, consumer })
            Assert.Equal($"keelback mail {id}", $"{span.GetTagItem("messaging.system")} {span.GetTagItem("messaging.destination.name")} {span.GetTagItem("messaging.message.id")}");

        IEnumerable<Activity> Mine() => spans.Where(s => s.TraceId == request!.TraceId);
    }
}
