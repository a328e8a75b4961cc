using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>What a run tells before it ends, and who hears it.</summary>
public sealed class ProgressTests : JobsTest
{
    [Fact]
    public async Task Of_two_who_wait_for_a_run_the_one_that_stays_is_told_at_once()
    {
        var waiters = new RunWaiters();
        using var stays = waiters.Of(7);
        var leaves = waiters.Of(7);
        var news = stays.Next();

        leaves.Dispose();
        waiters.Ended([7]);

        await news.WaitAsync(Patience);
        Assert.False(stays.Next().IsCompleted);
    }

    private sealed record Step(int Done, int Of);

    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    [Fact]
    public async Task Who_watches_sees_each_state_and_what_was_reported_in_between()
    {
        var (begun, half) = (new Gate(), new Gate());
        var import = TestJobs.Kind("import", async call =>
        {
            var context = call.Services.GetRequiredService<JobContext>();
            await begun.PassAsync(call.Cancellation);
            await context.ReportAsync(new Step(1, 2));
            await half.PassAsync(call.Cancellation);
            return "done";
        });
        await using var host = await StartAsync(import);
        var id = await host.Jobs.EnqueueAsync(import.Call(), new() { Delay = TimeSpan.FromMilliseconds(300) });

        var seen = new List<string>();
        await foreach (var news in host.Jobs.WatchAsync(id).WithTimeout(Patience))
        {
            seen.Add($"{news.State} {news.ProgressAs<Step>()}".Trim());
            if (news is { State: JobRunState.Running, Progress: null }) begun.Open();
            if (news.Progress is not null) half.Open();
        }

        Assert.Equal(["Running", "Running Step { Done = 1, Of = 2 }", "Succeeded Step { Done = 1, Of = 2 }"], seen.SkipWhile(s => s is "Scheduled" or "Ready"));
        Assert.Equal("done", await host.Jobs.ResultAsync<string>(id));
    }

    [Fact]
    public async Task Another_process_sees_it_too()
    {
        var gate = new Gate();
        var import = TestJobs.Kind("import", async call =>
        {
            await call.Services.GetRequiredService<JobContext>().ReportAsync(new Step(1, 2));
            await gate.PassAsync(call.Cancellation);
        });
        await using var worker = await StartAsync(import);
        await using var web = JobHost.Create(Database, []);
        var id = await web.Jobs.EnqueueAsync(import.Call());

        await foreach (var news in web.Jobs.WatchAsync(id).WithTimeout(Patience))
            if (news.ProgressAs<Step>() is { Done: 1 }) gate.Open();

        Assert.Equal(JobRunState.Succeeded, (await web.Jobs.GetAsync(id))!.State);
    }

    [Fact]
    public async Task Reports_in_quick_succession_are_written_once_and_the_last_is_not_lost()
    {
        var writes = 0L;
        var import = TestJobs.Kind("import", async call =>
        {
            for (var i = 1; i <= 1000; i++) await call.Services.GetRequiredService<JobContext>().ReportAsync(new Step(i, 1000));
        });
        await using var host = await JobHost.Create(Database, [import], o => o.ProgressInterval = TimeSpan.FromHours(1)).StartAsync();
        await CountWritesAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(import.Call()));

        writes = await host.ScalarAsync<long>("select count(*) from progress_writes");
        Assert.Equal((new Step(1000, 1000), 2), (run.ProgressAs<Step>(), writes)); // the first and the last

        async Task CountWritesAsync()
        {
            await using var command = Database.DataSource.CreateCommand(
                """
                create table progress_writes (at timestamptz);
                create function note_progress() returns trigger language plpgsql as
                    $$ begin insert into progress_writes values (clock_timestamp()); return new; end $$;
                create trigger note_progress after insert or update on keelback.progress for each row execute function note_progress();
                """);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task Within_an_interval_the_latest_is_written_at_its_end()
    {
        var gate = new Gate();
        var import = TestJobs.Kind("import", async call =>
        {
            var context = call.Services.GetRequiredService<JobContext>();
            await context.ReportAsync(new Step(1, 3));
            await context.ReportAsync(new Step(2, 3));
            await gate.PassAsync(call.Cancellation);
        });
        await using var host = await JobHost.Create(Database, [import], o => (o.ProgressInterval, o.Lease) = (TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)), clock: Clock).StartAsync();
        var id = await host.Jobs.EnqueueAsync(import.Call());
        await gate.Started();

        var early = (await host.Jobs.GetAsync(id))!;
        Assert.Equal(new Step(1, 3), early.ProgressAs<Step>());
        Assert.Equal("KB1285", Assert.Throws<KeelbackException>(() => early.ProgressAs<int>()).Code);
        Clock.Advance(TimeSpan.FromMinutes(1));

        await Eventually(async () => (await host.Jobs.GetAsync(id))!.ProgressAs<Step>() == new Step(2, 3), "the second is written");
        gate.Open();
    }

    [Fact]
    public async Task An_attempt_that_lost_its_run_reports_nothing_and_is_told_to_stop()
    {
        var gate = new Gate();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var import = TestJobs.Kind("import", async call =>
        {
            await gate.PassAsync(CancellationToken.None);
            await call.Services.GetRequiredService<JobContext>().ReportAsync(new Step(1, 2));
            call.Cancellation.Register(stopped.SetResult);
            await stopped.Task.WaitAsync(Patience);
        });
        await using var host = await JobHost.Create(Database, [import], o => o.PollInterval = TimeSpan.FromMinutes(5)).StartAsync();
        using var fenced = new FencedWrites(host, _ => { });
        var id = await host.Jobs.EnqueueAsync(import.Call());
        await gate.Started();
        await host.ScalarAsync<long>("with d as (update keelback.claim set token = token + 1000 returning 1) select count(*) from d");

        gate.Open();

        await stopped.Task.WaitAsync(Patience);
        Assert.Null((await host.Jobs.GetAsync(id))!.Progress);
    }

    [Fact]
    public async Task A_transactional_job_reports_while_its_transaction_is_open()
    {
        var gate = new Gate();
        var import = TestJobs.Kind("import", async call =>
        {
            await call.Services.GetRequiredService<JobContext>().ReportAsync(new Step(1, 2));
            await gate.PassAsync(call.Cancellation);
            await call.Services.GetRequiredService<JobContext>().ReportAsync(new Step(2, 2));
        }, d => d.Transactional = true);
        await using var host = await JobHost.Create(Database, [import], data: k => k.AddData<Db>()).StartAsync();
        using var fenced = new FencedWrites(host, _ => Assert.Fail("its own completion is no reason to lose a report"));
        var id = await host.Jobs.EnqueueAsync(import.Call());
        await gate.Started();

        Assert.Equal(new Step(1, 2), (await host.Jobs.GetAsync(id))!.ProgressAs<Step>());
        gate.Open();

        Assert.Equal((JobRunState.Succeeded, new Step(2, 2)), await host.EndOf(id) is { } run ? (run.State, run.ProgressAs<Step>()) : default);
    }

    [Fact]
    public async Task A_report_that_is_too_large_is_an_error()
    {
        var import = TestJobs.Kind("import", call => call.Services.GetRequiredService<JobContext>().ReportAsync(new string('x', 65_535)), d => d.MaxAttempts = 1);
        await using var host = await StartAsync(import);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(import.Call()));

        Assert.Equal("KB1272: What 'import' reports takes 65,537 bytes of JSON; it may be 65,536, without NUL characters and half surrogate pairs. " +
            "Report figures, not data.", run.Error!.Message);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_job_that_waits_for_another_is_refused(bool inAScopeOfItsOwn)
    {
        var other = TestJobs.Kind("other", _ => Task.CompletedTask);
        var waits = TestJobs.Kind("waits", async call =>
        {
            await using var scope = call.Services.CreateAsyncScope();
            var jobs = (inAScopeOfItsOwn ? scope.ServiceProvider : call.Services).GetRequiredService<JobClient>();
            await jobs.ResultAsync<int>(await jobs.EnqueueAsync(other.Call()), call.Cancellation);
        }, d => d.MaxAttempts = 1);
        await using var host = await StartAsync(waits, other);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(waits.Call()));

        Assert.Matches(@"^KB1273: A job waits for run \d+: it would hold its slot until another job has had one, and with all slots so held none ever ends\. " +
            @"Pass that job as an argument, come after it \(After\), or look with GetAsync and throw JobExit\.Snooze\.$", run.Error!.Message);
    }

    [Fact]
    public async Task What_an_attempt_leaves_behind_may_wait_when_it_has_ended()
    {
        var other = TestJobs.Kind("other", _ => Task.CompletedTask);
        var ended = new TaskCompletionSource<JobHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<JobRun>? left = null;
        var leaves = TestJobs.Kind("leaves", _ =>
        {
            left = Task.Run(async () =>
            {
                var host = await ended.Task;
                return await host.EndOf(await host.Jobs.EnqueueAsync(other.Call()));
            });
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(leaves, other);
        await host.EndOf(await host.Jobs.EnqueueAsync(leaves.Call()));

        ended.SetResult(host);

        Assert.Equal(JobRunState.Succeeded, (await left!.WaitAsync(Patience)).State);
    }

    [Fact]
    public async Task Who_waits_for_another_processes_news_looks_often_at_first_and_later_in_proportion_to_its_wait()
    {
        using var over = new CancellationTokenSource();
        var clock = new HastyClock(TimeSpan.FromSeconds(40), over.Cancel);
        var note = TestJobs.Kind("note", _ => Task.CompletedTask);
        await using var web = JobHost.Create(Database, [note], o => o.PollInterval = TimeSpan.FromSeconds(1), clock: clock);
        var id = await web.Jobs.EnqueueAsync(note.Call());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => web.Jobs.WaitAsync(id, over.Token));

        Assert.All(clock.Waits, wait => Assert.InRange(wait.For.TotalMilliseconds, 20, Math.Clamp((wait.After / 20).TotalMilliseconds, 20, 1000)));
        Assert.InRange(clock.Waits.Count, 1, 130);
    }

    [Fact]
    public async Task A_job_knows_what_it_is()
    {
        var tries = 0;
        var told = new TaskCompletionSource<JobContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        IReadOnlyList<JobAttempt> earlier = [];
        var job = TestJobs.Kind("job", async call =>
        {
            var context = call.Services.GetRequiredService<JobContext>();
            if (Interlocked.Increment(ref tries) == 1) throw new IOException("first");
            earlier = await context.EarlierAttemptsAsync();
            told.SetResult(context);
        });
        await using var host = await StartAsync(job);
        var due = DateTimeOffset.UnixEpoch.AddYears(50);
        var id = await host.Jobs.EnqueueAsync(job.Call(), new() { Queue = "mail", At = due, Timeout = TimeSpan.FromMinutes(5), MaxAttempts = 7 });

        var context = await told.Task.WaitAsync(Patience);
        var run = await host.EndOf(id);

        Assert.Equal((id, 2, 7, 0, "job", "mail", due), (context.RunId, context.Attempt, context.MaxAttempts, context.Crashes, context.Kind, context.Queue, context.DueAt));
        Assert.Equal(run.EnqueuedAt, context.EnqueuedAt);
        Assert.InRange(context.Deadline!.Value - run.EnqueuedAt, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6));
        Assert.Equal("first", Assert.Single(earlier).Error!.Message);
    }

    /// <summary>Time that only passes while somebody waits for it, and then at once.</summary>
    private sealed class HastyClock(TimeSpan end, Action over) : TimeProvider
    {
        private TimeSpan _now;

        public List<(TimeSpan After, TimeSpan For)> Waits { get; } = [];

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan) return System.CreateTimer(callback, state, dueTime, period);

            Waits.Add((_now, dueTime));
            _now += dueTime;
            if (_now > end) over();
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
