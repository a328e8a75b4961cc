using System.Net;
using System.Text.RegularExpressions;
using Keelback.Jobs;
using Keelback.Jobs.Tests;

namespace Keelback.Ops.Tests;

public sealed class GraphTests : OpsTest
{
    private static readonly JobKind s_fetch = TestJobs.Kind<int>("fetch", _ => Task.FromResult(1));
    private static readonly JobKind s_resize = TestJobs.Kind<int>("resize", call => call.Get<int>("size") == 13 ? throw new InvalidOperationException("Unlucky") : Task.FromResult(2), j => j.MaxAttempts = 1);
    private static readonly JobKind s_sheet = TestJobs.Kind<int>("sheet", _ => Task.FromResult(3));
    private static readonly JobKind[] s_kinds = [s_fetch, s_resize, s_sheet];

    // fetch ─┬─ resize 1 ─┬─ sheet
    //        └─ resize 2 ─┘
    [Fact]
    public async Task A_small_graph_is_drawn_run_by_run_in_the_order_of_its_edges()
    {
        await using var app = await OpsApp.OpenAsync(Database, s_kinds);
        var sheet = await app.Jobs.EnqueueAsync(Chord(2));
        await app.DrainAsync();

        var html = await app.PageAsync($"/ops/jobs/runs/{sheet}");

        var boxes = Regex.Matches(html, "class=\"box (\\w+)( here)?\"><title>([\\w.]+), run .*?<rect x=\"(\\d+)\"", RegexOptions.Singleline);
        Assert.Equal(["fetch", "resize", "resize", "sheet"], boxes.OrderBy(b => int.Parse(b.Groups[4].Value)).Select(b => b.Groups[3].Value));
        Assert.All(boxes, b => Assert.Equal("good", b.Groups[1].Value));
        Assert.Equal("sheet", boxes.Single(b => b.Groups[2].Length > 0).Groups[3].Value);
        Assert.Equal(4, Regex.Count(html, "<path class=\"edge "));
        Assert.Contains("4 runs: 4 succeeded.", html);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10_000)]
    public async Task Members_that_differ_in_nothing_but_their_states_are_one_box_with_their_counts(int members)
    {
        await using var app = await OpsApp.OpenAsync(Database, s_kinds);
        var sheet = await app.Jobs.EnqueueAsync(s_sheet.Call<int>(null, new JobBinding("all", Job.All(Enumerable.Range(0, members).Select(i => s_resize.Call<int>(new { size = i }))))));
        await app.ScalarAsync<long>("update keelback.run set state = case (input ->> 'size')::int when 13 then 2 else 1 end where kind = 'resize' returning id");

        var html = await app.PageAsync($"/ops/jobs/runs/{sheet}");

        Assert.Contains($"<title>{members:N0} runs of resize: 1 failed, {members - 1:N0} succeeded</title>", html);
        Assert.Equal(2, Regex.Count(html, "class=\"box "));
        Assert.Contains($"{members + 1:N0} runs: 1 failed, 1 blocked, {members - 1:N0} succeeded.", html);
        var failed = await app.ScalarAsync<long>("select id from keelback.run where state = 2");
        Assert.StartsWith($"<a class=\"id\" href=\"/ops/jobs/runs/{failed}\">", html.Split("id=\"memberlist\"")[1].Split("<td>")[1]);
        Assert.True(html.Length < 60_000, $"{html.Length} characters");
    }

    [Fact]
    public async Task The_run_that_is_looked_at_has_a_box_of_its_own()
    {
        await using var app = await OpsApp.OpenAsync(Database, s_kinds);
        await app.Jobs.EnqueueAsync(Chord(100));
        var member = await app.ScalarAsync<long>("select max(id) from keelback.run where kind = 'resize'");

        var html = await app.PageAsync($"/ops/jobs/runs/{member}");

        Assert.Contains("<title>99 runs of resize: 99 blocked</title>", html);
        Assert.Contains($"<title>resize, run {member}: blocked</title>", html);
    }

    [Fact]
    public async Task A_chain_that_would_be_wider_than_any_screen_is_drawn_by_kind()
    {
        await using var app = await OpsApp.OpenAsync(Database, s_kinds);
        var job = s_fetch.Call<int>();
        for (var i = 0; i < 300; i++) job = s_sheet.Call<int>(null, new JobBinding("of", job));
        var run = await app.Jobs.EnqueueAsync(job);

        var html = await app.PageAsync($"/ops/jobs/runs/{run}");

        Assert.Contains("<title>299 runs of sheet: 299 blocked</title>", html);
        Assert.Equal(3, Regex.Count(html, "class=\"box "));
    }

    [Fact]
    public async Task A_job_that_became_a_graph_leads_to_it_and_that_graph_leads_on()
    {
        var split = TestJobs.Kind<int>("split", call => throw new NotSupportedException());
        await using var app = await OpsApp.OpenAsync(Database, [.. s_kinds, split]);
        var items = s_fetch.Call<int>();
        var sheet = await app.Jobs.EnqueueAsync(s_sheet.Call<int>(null, new JobBinding("of", items)));
        var became = await app.Jobs.EnqueueAsync(s_resize.Call<int>(new { size = 1 }));
        await app.ScalarAsync<long>(
            $"""
            update keelback.run r set replaced_by = {became} where kind = 'fetch' returning id
            """);
        await app.ScalarAsync<long>(
            $"""
            update keelback.run r set root = {sheet}, parent = (select id from keelback.run where kind = 'fetch') where id = {became} returning id
            """);

        var html = await app.PageAsync($"/ops/jobs/runs/{sheet}");

        Assert.Contains("became a graph", html);
        Assert.Contains("<span class=\"key became\">became this graph</span>", html);
        Assert.Single(Regex.Matches(html, "<path class=\"edge became\""));
        var x = Regex.Matches(html, "<title>(\\w+), run .*?<rect x=\"(\\d+)\"", RegexOptions.Singleline).ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value));
        Assert.True(x["fetch"] < x["resize"] && x["resize"] < x["sheet"], string.Join(' ', x));
    }

    [Fact]
    public async Task A_graph_is_retried_and_cancelled_as_one()
    {
        await using var app = await OpsApp.OpenAsync(Database, s_kinds);
        var sheet = await app.Jobs.EnqueueAsync(Chord(20));
        await app.DrainAsync();
        Assert.Equal(JobRunState.UpstreamFailed, (await app.Jobs.GetAsync(sheet))!.State);
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{sheet}");
        Assert.Contains($"/ops/jobs/runs/{sheet}/retry-graph", form.Html);

        var alone = await form.PostAsync($"/ops/jobs/runs/{sheet}/retry");
        var whole = await form.PostAsync($"/ops/jobs/runs/{sheet}/retry-graph");
        var open = (await app.Jobs.GetAsync(sheet))!.State;
        var cancelled = await form.PostAsync($"/ops/jobs/runs/{sheet}/cancel-graph");
        var again = await form.PostAsync($"/ops/jobs/runs/{sheet}/cancel-graph");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.SeeOther, HttpStatusCode.SeeOther, HttpStatusCode.SeeOther),
            (alone.StatusCode, whole.StatusCode, cancelled.StatusCode, again.StatusCode));
        Assert.Contains("KB1243", await alone.Content.ReadAsStringAsync());
        Assert.Equal(JobRunState.Blocked, open);
        Assert.Equal(JobRunState.Cancelled, (await app.Jobs.GetAsync(sheet))!.State);
        Assert.Equal(20L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 1")); // fetch and 19 members keep their results
        Assert.Matches("^retry: failed: KB1243: .*; retry graph: 2 runs open again; cancel graph: 2 runs cancelled; cancel graph: none was open$", await app.ScalarAsync<string>(
            "select string_agg(action || ': ' || outcome, '; ' order by id) from keelback.audit"));
    }

    private static Job<int> Chord(int members)
    {
        var file = s_fetch.Call<int>();
        return s_sheet.Call<int>(null, new JobBinding("all", Job.All(Enumerable.Range(0, members).Select(i => s_resize.Call<int>(new { size = members == 2 ? 1 : i }, new JobBinding("file", file))))));
    }
}
