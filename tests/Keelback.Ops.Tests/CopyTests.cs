using System.Net;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

/// <summary>Runs enqueued anew: with which arguments, and what is said when they are not.</summary>
public sealed class CopyTests : OpsTest
{
    private static readonly Actor s_ada = new("ada", "page");
    private static readonly JobKind s_part = TestJobs.Kind("part", call => Task.FromResult(new string('x', call.Get<int>("size"))));
    private static readonly JobKind s_whole = TestJobs.Kind("whole", _ => Task.CompletedTask);

    // part --> whole(a)
    // part --> whole(b)
    private static Job Whole(int size) => s_whole.Call(
        new { day = 3 }, new JobBinding("a", s_part.Call<string>(new { size })), new JobBinding("b", s_part.Call<string>(new { size })));

    [Fact]
    public async Task Arguments_that_are_large_results_are_in_the_form_and_in_a_copy()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_part, s_whole], jobs: o => o.MaxPayload = 1024 * 1024);
        var run = await app.Jobs.EnqueueAsync(Whole(200_000));
        await app.DrainAsync();

        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");
        var copy = await CopyAsync(app, run, null);

        Assert.Equal((true, 2), (form.TextArea.Contains("\"day\": 3"), form.TextArea.Split(new string('x', 200_000)).Length - 1));
        Assert.Equal("3 200000 200000", await app.ScalarAsync<string>(
            $"select concat_ws(' ', input ->> 'day', length(input ->> 'a'), length(input ->> 'b')) from keelback.run where id = {copy.Run}"));
    }

    [Fact]
    public async Task Arguments_that_a_new_run_may_not_have_are_refused_with_their_size_and_never_left_out()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_part, s_whole]);
        var run = await app.Jobs.EnqueueAsync(Whole(150_000));
        await app.DrainAsync();

        var page = await app.Client.GetAsync($"/ops/jobs/runs/{run}/edit");
        var copy = await Assert.ThrowsAsync<KeelbackException>(() => CopyAsync(app, run, null));
        var given = await CopyAsync(app, run, """{"day": 4, "a": "x", "b": "y"}""");

        Assert.Equal($"KB1725: The arguments of run {run}, with the results of other runs that are among them, take 300,021 bytes of JSON; a new run may have 262,144. " +
            $"Enqueue fewer with 'jobs copy {run} --arguments', or raise Keelback:Jobs:MaxPayload.", copy.Message);
        Assert.Equal(HttpStatusCode.Conflict, page.StatusCode);
        Assert.Contains(copy.Message, WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync()));
        Assert.Equal("""{"a": "x", "b": "y", "day": 4}""", await app.ScalarAsync<string>($"select input::text from keelback.run where id = {given.Run}"));
        Assert.Equal(4L, await app.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task Arguments_that_a_form_does_not_hold_are_copied_without_it()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_part, s_whole], jobs: o => o.MaxPayload = 8 * 1024 * 1024);
        var run = await app.Jobs.EnqueueAsync(Whole(1_200_000));
        await app.DrainAsync();

        var page = await app.Client.GetAsync($"/ops/jobs/runs/{run}/edit");
        var copy = await CopyAsync(app, run, null);

        Assert.Contains($"take 2,400,021 bytes of JSON; a form holds 2,097,152. Enqueue them as they are with 'jobs copy {run}', or others with its --arguments.",
            WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync()));
        Assert.Equal(1_200_000, await app.ScalarAsync<int>($"select length(input ->> 'b') from keelback.run where id = {copy.Run}"));
    }

    [Theory]
    [InlineData(false, "has none")]
    [InlineData(true, "is gone")]
    public async Task An_argument_whose_run_has_no_result_is_named(bool isGone, string why)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_part, s_whole]);
        var run = await app.Jobs.EnqueueAsync(Whole(10));
        var up = await app.ScalarAsync<long>($"select ups[1] from keelback.run where id = {run}");
        if (isGone)
        {
            await app.DrainAsync();
            await app.ScalarAsync<bool>($"delete from keelback.run where id = {up} returning true"); // as its retention does
        }

        var page = await app.Client.GetAsync($"/ops/jobs/runs/{run}/edit");
        var copy = await Assert.ThrowsAsync<KeelbackException>(() => CopyAsync(app, run, null));

        Assert.Equal($"KB1726: The argument 'a' of run {run} is the result of run {up}, which {why}, so the arguments cannot be put together. " +
            $"Give all of them yourself with 'jobs copy {run} --arguments', or retry what did not succeed.", copy.Message);
        Assert.Equal(HttpStatusCode.Conflict, page.StatusCode);
        Assert.Contains(copy.Message, WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Arguments_close_to_the_limit_are_sent_back_unchanged()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_whole], kestrel: true);
        var run = await app.Jobs.EnqueueAsync(s_whole.Call(new { rows = Enumerable.Range(0, 40_000).Select(i => new[] { i % 10, 1 }) }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");
        Assert.InRange(form.TextArea.Length, 1024 * 1024, int.MaxValue); // over what another body may have

        var sent = await form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json");

        Assert.Equal(HttpStatusCode.SeeOther, sent.StatusCode);
        Assert.Equal(2L, await app.ScalarAsync<long>($"select count(*) from keelback.run where input = (select input from keelback.run where id = {run})"));
    }

    private static async Task<ActionResult> CopyAsync(OpsApp app, long run, string? json)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<RunActions>().CopyAsync(run, json, null, s_ada, default);
    }
}
