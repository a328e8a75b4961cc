using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>How long a result stays.</summary>
public sealed class ResultTests : JobsTest
{
    private static readonly JobKind s_add = TestJobs.Kind("add", call => Task.FromResult(call.Get("n", 1) + 1));

    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    [Fact]
    public async Task A_result_that_is_not_kept_is_not_written()
    {
        var quiet = TestJobs.Kind("quiet", _ => Task.FromResult(42), d => d.KeepResult = false);
        await using var host = await StartAsync(s_add, quiet);

        var byCall = await host.EndOf(await host.Jobs.EnqueueAsync(s_add.Call(), new() { KeepResult = false }));
        var byKind = await host.EndOf(await host.Jobs.EnqueueAsync(quiet.Call()));
        var kept = await host.EndOf(await host.Jobs.EnqueueAsync(quiet.Call(), new() { KeepResult = true }));

        Assert.Equal((JobRunState.Succeeded, null, null), (byCall.State, byCall.Output, byKind.Output));
        Assert.Equal(42, kept.Result<int>());
        Assert.Equal($"KB1274: The result of run {byKind.Id} of 'quiet' is not kept. Change KeepResult or ResultKept of the job or the call.",
            Assert.Throws<KeelbackException>(() => byKind.Result<int>()).Message);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_result_is_forgotten_when_its_time_is_over(bool transactional)
    {
        var add = TestJobs.Kind("add", _ => Task.FromResult(2), d => (d.ResultKept, d.Transactional) = ("02:00:00", transactional));
        await using var host = await JobHost.Create(Database, [add], o => o.Lease = TimeSpan.FromDays(1), clock: Clock, data: k => k.AddData<Db>()).StartAsync();
        var id = await host.Jobs.EnqueueAsync(add.Call());

        Assert.Equal(2, (await host.EndOf(id)).Result<int>());
        Clock.Advance(TimeSpan.FromHours(2) - TimeSpan.FromMinutes(1));
        Assert.Equal(2, await host.Jobs.ResultAsync<int>(id));
        Clock.Advance(TimeSpan.FromMinutes(2));

        await Eventually(async () => (await host.Jobs.GetAsync(id))!.Output is null, "the result is forgotten");
        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.ResultAsync<int>(id));
        Assert.Equal($"KB1274: The result of run {id} of 'add' is not kept for longer than 02:00:00. Change KeepResult or ResultKept of the job or the call.", error.Message);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.timer"));
    }

    [Fact]
    public async Task A_result_that_another_job_takes_stays()
    {
        await using var host = await JobHost.Create(Database, [s_add], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        var first = s_add.Call<int>(new { n = 1 }).With(new() { KeepResult = false });
        var second = s_add.Call<int>(new { }, new JobBinding("n", first)).With(new() { ResultKept = TimeSpan.FromMinutes(1), Delay = TimeSpan.FromHours(1) });
        var id = await host.Jobs.EnqueueAsync(second);

        Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(3, (await host.EndOf(id)).Result<int>());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_result_that_a_job_comes_to_take_while_its_run_runs_stays(bool transactional)
    {
        var gate = new Gate();
        var quiet = TestJobs.Kind("quiet", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return 41;
        }, d => (d.KeepResult, d.Transactional) = (false, transactional));
        await using var host = await JobHost.Create(Database, [quiet, s_add], data: k => k.AddData<Db>()).StartAsync();
        var first = await host.Jobs.EnqueueAsync(quiet.Call<int>());
        await gate.Started();

        var second = await host.Jobs.EnqueueAsync(Take(first));
        gate.Open();

        Assert.Equal(42, (await host.EndOf(second)).Result<int>());
        Assert.Equal(42, (await host.EndOf(await host.Jobs.EnqueueAsync(Take(first)))).Result<int>()); // it is there now
    }

    [Fact]
    public async Task A_result_that_is_gone_is_refused_to_who_takes_it_and_to_nobody_else()
    {
        var quiet = TestJobs.Kind("quiet", _ => Task.FromResult(41), d => d.KeepResult = false);
        var become = TestJobs.Kind("become", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(s_add.Call<int>())), d => d.KeepResult = false);
        await using var host = await JobHost.Create(Database, [quiet, become, s_add], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        var calls = new[] { quiet.Call<int>(), become.Call<int>(), quiet.Call<int>().With(new() { ResultKept = TimeSpan.FromMinutes(1) }) };
        var ended = new List<long>(); // one by one: the clock stands, and what commits out of its order is found by a look each second
        foreach (var call in calls) ended.Add((await host.EndOf(await host.Jobs.EnqueueAsync(call))).Id);
        var (unkept, replaced, brief) = (ended[0], ended[1], ended[2]);
        Clock.Advance(TimeSpan.FromMinutes(2));
        await Eventually(async () => (await host.Jobs.GetAsync(brief))!.Output is null, "the result is forgotten");

        var messages = new List<string>();
        foreach (var run in new[] { unkept, replaced, brief })
            messages.Add((await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(Take(run)))).Message);
        var settled = s_add.Call<int>(null, new JobBinding("ends", Job.AllSettled(Job.Of<int>(unkept))));
        Assert.Equal("KB1274", (await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(settled))).Code);
        var after = await host.EndOf(await host.Jobs.EnqueueAsync(s_add.Call<int>(null, new JobBinding("ends", Job.AllSettled(Job.Of(unkept)))).After(Job.Of(replaced))));

        Assert.Equal($"KB1274: The result of run {unkept} of 'quiet' is not kept, and another job was to take it. Enqueue both as one graph, or the second before the first has ended: then it is kept. " +
            "Or change KeepResult or ResultKept of 'quiet' or its call.", messages[0]);
        Assert.StartsWith($"KB1274: The result of run {replaced} of 'become'", messages[1], StringComparison.Ordinal);
        Assert.Contains($"run {brief} of 'quiet' is not kept for longer than 00:01:00", messages[2], StringComparison.Ordinal);
        Assert.Equal((JobRunState.Succeeded, 0L), (after.State, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0")));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task What_returns_nothing_hands_nothing_on(bool isReplaced)
    {
        var nothing = new JobKind("nothing", typeof(ResultTests), new("nothing") { KeepResult = false }, _ => default);
        var become = TestJobs.Kind("become", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(nothing.Call<int>())), d => d.KeepResult = false);
        var tell = TestJobs.Kind("tell", call => Task.FromResult(call.Get<int?>("n") is null));
        await using var host = await StartAsync(nothing, become, tell);
        var run = await host.Jobs.EnqueueAsync((isReplaced ? become : nothing).Call<int>());
        await host.EndOf(run);

        var told = await host.EndOf(await host.Jobs.EnqueueAsync(tell.Call<bool>(null, new JobBinding("n", Job.Of<int>(run)))));

        Assert.True(told.Result<bool>());
    }

    [Fact]
    public async Task A_result_that_cannot_be_stored_fails_its_run_when_it_is_to_be()
    {
        var gate = new Gate();
        var large = TestJobs.Kind("large", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return new string('a', 300 * 1024);
        }, d => d.KeepResult = false);
        await using var host = await StartAsync(large, s_add);
        var (alone, taken) = (await host.Jobs.EnqueueAsync(large.Call<string>()), await host.Jobs.EnqueueAsync(large.Call<string>()));
        await gate.Started();
        await gate.Started();
        await host.Jobs.EnqueueAsync(Take(taken));
        gate.Open();

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(alone)).State);
        var failed = await host.EndOf(taken);
        Assert.Equal(JobRunState.Failed, failed.State);
        Assert.StartsWith("KB1212", failed.Error!.Message, StringComparison.Ordinal);
    }

    private static Job<int> Take(long run) => s_add.Call<int>(null, new JobBinding("n", Job.Of<int>(run)));

    [Fact]
    public async Task A_result_that_is_not_of_the_wanted_type_is_an_error_that_names_both()
    {
        await using var host = await StartAsync(s_add);
        var id = await host.Jobs.EnqueueAsync(s_add.Call());

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.ResultAsync<Guid>(id));

        Assert.StartsWith($"KB1285: The result of run {id} of 'add' does not read as Guid: ", error.Message, StringComparison.Ordinal);
        Assert.IsType<System.Text.Json.JsonException>(error.InnerException);
    }

    [Fact]
    public async Task The_result_of_a_replaced_job_stays_as_long_as_it_says_and_its_followers_need()
    {
        var become = TestJobs.Kind("become", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(s_add.Call<int>(new { n = 41 }))));
        await using var host = await JobHost.Create(Database, [s_add, become], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        var quiet = become.Call<int>().With(new() { KeepResult = false });

        var unkept = await host.EndOf(await host.Jobs.EnqueueAsync(quiet));
        var taken = await host.EndOf(await host.Jobs.EnqueueAsync(s_add.Call<int>(null, new JobBinding("n", quiet))));
        var brief = await host.Jobs.EnqueueAsync(become.Call<int>(), new() { ResultKept = TimeSpan.FromHours(2) });
        var before = (await host.EndOf(brief)).Result<int>();
        Clock.Advance(TimeSpan.FromHours(3));

        Assert.Equal((JobRunState.Succeeded, null), (unkept.State, unkept.Output));
        Assert.Equal((43, 42), (taken.Result<int>(), before));
        await Eventually(async () => (await host.Jobs.GetAsync(brief))!.Output is null, "the result is forgotten");
    }

    [Theory]
    [InlineData(false, 1, "its result cannot be kept for a time and not at all.")]
    [InlineData(null, 0, "its result's time (00:00:00) must be over zero and not over 100 years.")]
    public async Task What_cannot_be_kept_is_an_error(bool? keep, int seconds, string mistake)
    {
        await using var host = JobHost.Create(Database, [s_add]);

        var error = await Assert.ThrowsAsync<KeelbackException>(
            () => host.Jobs.EnqueueAsync(s_add.Call(), new() { KeepResult = keep, ResultKept = TimeSpan.FromSeconds(seconds) }));

        Assert.Equal($"KB1208: 'add' cannot be enqueued so: {mistake}", error.Message);
    }
}
