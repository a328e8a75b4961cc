using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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

        Assert.Equal($"KB1725: The arguments of run {run}, with the results of other runs that are among them, take 300,023 bytes of JSON; a new run may have 262,144. " +
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

        Assert.Contains($"take 2,400,023 bytes of JSON; a form holds 2,097,152. Enqueue them as they are with 'jobs copy {run}', or others with its --arguments.",
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

    private abstract class DollarsToCents : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload) => new() { ["cents"] = payload["dollars"]!.GetValue<int>() * 100 };
    }

    [Fact]
    public async Task Edited_arguments_are_of_the_version_of_those_that_were_shown_which_nobody_sees_or_sets()
    {
        var older = TestJobs.Kind("refund", call => Task.FromResult(call.Get<int>("dollars")));
        var refund = TestJobs.Kind("refund", call => Task.FromResult(call.Get<int>("cents")), j => j.Version = 2).With(new UpgradeAttribute<DollarsToCents>(1));
        await using var app = await OpsApp.OpenAsync(Database, [refund]);
        var run = await app.Jobs.EnqueueAsync(new JobPayload().Add("cents", 700).ToJob(refund));
        var old = await app.Jobs.EnqueueAsync(new JobPayload().Add("dollars", 7).ToJob(older));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");
        var shown = form.Html + await app.PageAsync($"/ops/jobs/runs/{run}") + await app.PageAsync($"/ops/jobs/api/runs/{run}");

        await form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json", """{"cents": 701}""");
        await PostAsync(app, $"runs/{run}/copy", """{"cents": 702}""");
        await PostAsync(app, $"runs/{run}/copy", """{"$version": 2, "cents": 703}""");
        await CopyAsync(app, run, null);
        await PostAsync(app, $"runs/{old}/copy", """{"dollars": 8}""");
        await PostAsync(app, $"runs/{old}/copy", """{"$version": 1, "dollars": 9}""");
        await CopyAsync(app, old, null);
        var refused = await Assert.ThrowsAsync<KeelbackException>(() => CopyAsync(app, run, """{"$version": 1, "cents": 1}"""));
        var unread = await Assert.ThrowsAsync<KeelbackException>(() => CopyAsync(app, old, """{"$version": null, "dollars": 1}"""));
        await app.DrainAsync();

        Assert.Equal(("{\n  \"cents\": 700\n}", false), (form.TextArea.ReplaceLineEndings("\n").Trim(), shown.Contains("$version")));
        Assert.Equal("700 700 700 700 701 702 703 800 900", await app.ScalarAsync<string>("select string_agg(output::text, ' ' order by output::text) from keelback.run"));
        Assert.Equal("KB1733: '$version' is 1 among the arguments, and those of the old run are of version 2, as edited ones are. Leave it out; nothing was enqueued.", refused.Message);
        Assert.Equal("KB1733", unread.Code);
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

    [Fact]
    public async Task A_copy_whose_unique_key_an_open_run_has_is_told_and_what_was_typed_stays()
    {
        var charge = Charge(UniqueConflict.Existing);
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        var run = await app.Jobs.EnqueueAsync(charge.Call(new { customer = 1, amount = 10 }));
        var nothing = $"Nothing was enqueued: run {run} has the unique key 'kind:charge:1'. Wait for that run, or cancel it.";
        var (path, id) = ($"/ops/jobs/runs/{run}/edit", Guid.CreateVersion7());
        var form = await PageForm.OfAsync(app, path);
        Assert.Contains("while an open run has the unique key of these arguments, as the old one may, nothing is enqueued", form.Html);

        var edited = await form.PostTextAsync(path, "json", """{"customer": 1, "amount": 99}""");
        var copied = await PostAsync(app, $"runs/{run}/copy?id={id}", """{"customer": 1, "amount": 99}""");
        var counted = await app.ScalarAsync<long>("select count(*) from keelback.run");
        var again = new PageForm(app, await edited.Content.ReadAsStringAsync(), form.Cookie);
        var other = await again.PostTextAsync(path, "json", """{"customer": 2, "amount": 99}""");
        await app.Jobs.CancelAsync(run);
        var free = await PostAsync(app, $"runs/{run}/copy?id={id}", """{"customer": 1, "amount": 99}""");

        Assert.Equal(HttpStatusCode.Conflict, edited.StatusCode);
        Assert.Contains(nothing, WebUtility.HtmlDecode(again.Html));
        Assert.Equal("""{"customer": 1, "amount": 99}""", again.TextArea);
        Assert.Equal((false, nothing, JsonValueKind.Null), (copied.GetProperty("done").GetBoolean(), copied.GetProperty("outcome").GetString(), copied.GetProperty("run").ValueKind));
        Assert.Equal((1L, 2), (counted, await app.ScalarAsync<int>("select count(*)::int from keelback.audit where outcome = '" + nothing.Replace("'", "''") + "'")));
        Assert.Equal(HttpStatusCode.SeeOther, other.StatusCode);
        Assert.True(free.GetProperty("done").GetBoolean());
        Assert.Equal("99", await app.ScalarAsync<string>($"select input ->> 'amount' from keelback.run where id = {free.GetProperty("run").GetString()}"));
    }

    [Fact]
    public async Task A_copy_that_its_kind_rejects_is_a_conflict()
    {
        var charge = Charge(UniqueConflict.Reject);
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        var run = await app.Jobs.EnqueueAsync(charge.Call(new { customer = 1, amount = 10 }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");

        var edited = await form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json", """{"customer": 1, "amount": 99}""");
        var copied = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/copy", new StringContent("""{"customer": 1}""", Encoding.UTF8, "application/json"));

        var html = await edited.Content.ReadAsStringAsync();
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (edited.StatusCode, copied.StatusCode));
        Assert.Contains($"KB1231: 'charge' was not enqueued: run {run} has its unique key 'kind:charge:1'.", WebUtility.HtmlDecode(html));
        Assert.Equal("""{"customer": 1, "amount": 99}""", new PageForm(app, html, "").TextArea);
    }

    [Fact]
    public async Task A_copy_that_replaces_a_run_says_so()
    {
        var charge = Charge(UniqueConflict.Replace);
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        var run = await app.Jobs.EnqueueAsync(charge.Call(new { customer = 1, amount = 10 }));
        Assert.Contains("An open run that has its unique key, as the old one may, is cancelled", await app.PageAsync($"/ops/jobs/runs/{run}/edit"));

        var first = await CopyAsync(app, run, """{"customer": 1, "amount": 99}""");
        await app.DrainAsync();
        var second = await CopyAsync(app, run, """{"customer": 1, "amount": 100}"""); // the key's run has ended by itself

        Assert.Equal($"enqueued run {first.Run} in the place of run {run}, which had its unique key and was cancelled", first.Outcome);
        Assert.Equal($"{{\"run\": \"{first.Run}\", \"replaced\": \"{run}\"}}", first.After);
        Assert.Equal($"enqueued run {second.Run}", second.Outcome);
        Assert.Equal(JobRunState.Cancelled, (await app.Jobs.GetAsync(run))!.State);
    }

    [Theory]
    [InlineData("KB1208", 400)]
    [InlineData("KB1270", 503)]
    [InlineData("KB1271", 503)]
    public async Task Whatever_keeps_a_copy_from_being_enqueued_leaves_what_was_typed(string code, int status)
    {
        var filter = new Refusing(code);
        await using var app = await OpsApp.OpenAsync(Database, [s_part], services: s => s.AddSingleton<IEnqueueFilter>(filter));
        var run = await app.Jobs.EnqueueAsync(s_part.Call(new { size = 1 }));
        filter.IsOn = true;
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");

        var edited = await form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json", """{"size": 2}""");

        var again = new PageForm(app, await edited.Content.ReadAsStringAsync(), "");
        Assert.Equal((status, """{"size": 2}"""), ((int)edited.StatusCode, again.TextArea));
        Assert.Contains($"{code}: Not now.", again.Html);
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_makes_one_run_and_with_other_arguments_another()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_part]);
        var run = await app.Jobs.EnqueueAsync(s_part.Call(new { size = 1 }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");

        var sent = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json", """{"size": 2}""")));
        var other = await form.PostTextAsync($"/ops/jobs/runs/{run}/edit", "json", """{"size": 3}"""); // having gone back
        var id = Guid.CreateVersion7();
        var first = await PostAsync(app, $"runs/{run}/copy?id={id}", """{"size": 4}""");
        var second = await PostAsync(app, $"runs/{run}/copy?id={id}", """{"size": 4}""");
        var wrong = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/copy?id=5", new StringContent("{}", Encoding.UTF8, "application/json"));

        var made = Assert.Single(sent.Select(r => (r.StatusCode, r.Headers.Location!.OriginalString)).Distinct());
        Assert.Equal(HttpStatusCode.SeeOther, made.StatusCode);
        Assert.NotEqual(made.OriginalString, other.Headers.Location!.OriginalString);
        Assert.Equal((true, false), (first.GetProperty("done").GetBoolean(), second.GetProperty("done").GetBoolean()));
        Assert.Equal($"run {first.GetProperty("run").GetString()} was enqueued already, by the same call", second.GetProperty("outcome").GetString());
        Assert.Equal(first.GetProperty("run").GetString(), second.GetProperty("run").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal("1 2 3 4", await app.ScalarAsync<string>("select string_agg(input ->> 'size', ' ' order by id) from keelback.run"));
        Assert.Equal(4L, await app.ScalarAsync<long>("select count(*) from keelback.audit where outcome like 'run % was enqueued already, by the same call'"));
    }

    [Fact]
    public async Task A_schedule_that_is_run_twice_by_one_form_runs_once_and_not_while_its_key_is_taken()
    {
        var charge = Charge(UniqueConflict.Existing);
        await using var app = await OpsApp.OpenAsync(Database, [charge, s_part]);
        await using var scope = app.Services.CreateAsyncScope();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();
        await schedules.AddAsync("parts", Trigger.Every(TimeSpan.FromHours(1)), s_part.Call(new { size = 1 }));
        await schedules.AddAsync("charges", Trigger.Every(TimeSpan.FromHours(1)), charge.Call(new { customer = 1 }));
        var form = await PageForm.OfAsync(app, "/ops/jobs/schedules/parts");
        var once = Regex.Match(form.Html, "name=\"once\" value=\"([^\"]+)\"").Groups[1].Value;
        var (id, run) = (Guid.CreateVersion7(), await app.Jobs.EnqueueAsync(charge.Call(new { customer = 1 })));

        var sent = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => form.PostAsync("/ops/jobs/schedules/parts/run", ("once", once))));
        var first = await PostAsync(app, "schedules/parts/run", $$"""{"id": "{{id}}"}""");
        var second = await PostAsync(app, "schedules/parts/run", $$"""{"id": "{{id}}"}""");
        var taken = await form.PostAsync("/ops/jobs/schedules/charges/run", ("once", "x"));

        Assert.Single(sent.Select(r => (r.StatusCode, r.Headers.Location!.OriginalString)).Distinct());
        Assert.Equal((true, false, first.GetProperty("run").GetString()), (first.GetProperty("done").GetBoolean(), second.GetProperty("done").GetBoolean(), second.GetProperty("run").GetString()));
        Assert.Equal((2L, 2), (await app.ScalarAsync<long>("select count(*) from keelback.run where kind = 'part'"), (await schedules.GetHistoryAsync("parts")).Count));
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
        Assert.Contains($"Nothing was enqueued: run {run} has the unique key 'kind:charge:1'.", WebUtility.HtmlDecode(await taken.Content.ReadAsStringAsync()));
        Assert.Equal(1L, await app.ScalarAsync<long>("select count(*) from keelback.run where kind = 'charge'"));
    }

    private static JobKind Charge(UniqueConflict onConflict) =>
        TestJobs.Kind("charge", _ => Task.CompletedTask).With(new UniqueAttribute("{customer}") { OnConflict = onConflict });

    private static async Task<JsonElement> PostAsync(OpsApp app, string path, string json)
    {
        var response = await app.Client.PostAsync("/ops/jobs/api/" + path, new StringContent(json, Encoding.UTF8, "application/json"));
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    private sealed class Refusing(string code) : IEnqueueFilter
    {
        public bool IsOn { get; set; }

        public void OnEnqueue(JobEnqueue job)
        {
            if (IsOn) throw new KeelbackException(code, "Not now.");
        }
    }

    private static async Task<ActionResult> CopyAsync(OpsApp app, long run, string? json)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<RunActions>().CopyAsync(run, json, null, s_ada, default);
    }
}
