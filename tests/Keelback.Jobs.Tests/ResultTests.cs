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
