using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

/// <summary>Names in addresses, on the server that people have: the one in memory unescapes paths in its own way.</summary>
public sealed class AddressTests : OpsTest
{
    private static readonly string[] s_names =
    [
        "eu/mail", "eu%2Fmail", "eu%252Fmail", "a b+c", "Grüße 東京 🚀", "50% off", "what?#;=&x", "/", "a//b/", @"back\slash", "mail",
    ];

    [Fact]
    public async Task A_queue_of_any_name_is_paused_by_its_button_and_resumed_by_the_api()
    {
        await using var app = await OpsApp.OpenAsync(Database, [.. s_names.Select(Kind)], kestrel: true);
        foreach (var name in s_names) await app.Jobs.EnqueueAsync(Kind(name).Call());
        var form = await PageForm.OfAsync(app, "/ops/jobs");
        var buttons = Buttons(form.Html, "/pause");

        foreach (var (name, path) in s_names.Select(name => (name, buttons.Single(path => Uri.UnescapeDataString(path.Split('/')[^2]) == name))))
        {
            Assert.Equal((name, HttpStatusCode.SeeOther), (name, (await form.PostAsync(path)).StatusCode));
            Assert.Equal(name, await app.ScalarAsync<string>("select string_agg(name, ', ') from keelback.queue where paused"));

            var resumed = await PostAsync(app, $"queues/{Uri.EscapeDataString(name)}/resume");

            Assert.Equal((name, "resumed"), (name, resumed.GetProperty("outcome").GetString()));
            Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.queue where paused"));
        }

        Assert.Equal(s_names.Length * 2L, await app.ScalarAsync<long>("select count(*) from keelback.audit a join keelback.queue q on a.target = 'queue ' || q.name"));
    }

    [Fact]
    public async Task A_tag_of_any_name_is_revoked_and_allowed_and_no_other_is()
    {
        await using var app = await OpsApp.OpenAsync(Database, kestrel: true);
        var revocations = app.Services.GetRequiredService<JobRevocations>();

        foreach (var name in s_names)
        {
            await PostAsync(app, $"revocations/tag/{Uri.EscapeDataString(name)}/revoke");
            Assert.Equal(name, Assert.Single(await revocations.ListAsync()).Tag);
            await PostAsync(app, $"revocations/tag/{Uri.EscapeDataString(name)}/allow");
            Assert.Empty(await revocations.ListAsync());

            await PostAsync(app, $"revocations/kind/{Uri.EscapeDataString(name)}/revoke", """{"unknown": true}""");
            Assert.Equal(name, Assert.Single(await revocations.ListAsync()).Kind);
            await PostAsync(app, $"revocations/kind/{Uri.EscapeDataString(name)}/allow");
        }
    }

    [Fact]
    public async Task A_limit_of_any_name_has_its_place_in_the_api()
    {
        await using var app = await OpsApp.OpenAsync(Database, kestrel: true);
        foreach (var name in s_names)
        {
            var path = $"limits/{Uri.EscapeDataString(name)}";
            await PostAsync(app, path, """{"slots": 2, "unknown": true}""");

            var one = JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/" + path)).RootElement;

            Assert.Equal((name, 2), (one.GetProperty("name").GetString(), one.GetProperty("numbers").GetProperty("slots").GetInt32()));
            Assert.Equal("limits nothing any more", (await PostAsync(app, path + "/reset")).GetProperty("outcome").GetString());
        }
    }

    [Fact]
    public async Task A_tag_that_begins_or_ends_with_a_space_is_allowed_by_its_button()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var revocations = app.Services.GetRequiredService<JobRevocations>();
        await revocations.RevokeTagAsync(" x ");
        var form = await PageForm.OfAsync(app, "/ops/jobs/workers");

        await form.PostAsync("/ops/jobs/revocations/allow", ("what", "tag"), ("value", " x "));

        Assert.Empty(await revocations.ListAsync());
    }

    [Fact]
    public async Task A_schedule_of_any_name_has_its_page_its_buttons_and_its_place_in_the_api()
    {
        await using var app = await OpsApp.OpenAsync(Database, [Kind("mail")], kestrel: true);
        await using var scope = app.Services.CreateAsyncScope();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();
        foreach (var name in s_names) await schedules.AddAsync(name, Trigger.Every(TimeSpan.FromHours(1), aligned: true), Kind("mail").Call());
        var form = await PageForm.OfAsync(app, "/ops/jobs/schedules");
        var buttons = Buttons(form.Html, "/pause");

        foreach (var (name, path) in s_names.Select(name => (name, buttons.Single(path => Uri.UnescapeDataString(path.Split('/')[^2]) == name))))
        {
            var paused = await form.PostAsync(path);
            var page = await app.PageAsync(paused.Headers.Location!.OriginalString);
            var one = JsonDocument.Parse(await app.PageAsync($"/ops/jobs/api/schedules/{Uri.EscapeDataString(name)}")).RootElement;
            var changed = await form.PostAsync($"/ops/jobs/schedules/{Uri.EscapeDataString(name)}/change", ("when", "every 5m"), ("zone", ""));

            Assert.Contains($"<h1>{name}</h1>", WebUtility.HtmlDecode(page));
            Assert.Equal((name, "paused"), (one.GetProperty("schedule").GetProperty("name").GetString(), one.GetProperty("schedule").GetProperty("state").GetString()));
            Assert.Equal(HttpStatusCode.SeeOther, changed.StatusCode);
            Assert.Equal((JobScheduleState.Paused, "every 00:05:00, aligned"), await schedules.GetAsync(name) is { } s ? (s.State, s.Trigger.ToString()) : default);
        }
    }

    private static JobKind Kind(string queue) => TestJobs.Kind("in " + queue, _ => Task.CompletedTask, j => j.Queue = queue);

    private static List<string> Buttons(string html, string end) =>
        [.. Regex.Matches(html, "action=\"([^\"]+)\"").Select(m => WebUtility.HtmlDecode(m.Groups[1].Value)).Where(path => path.EndsWith(end, StringComparison.Ordinal))];

    private static async Task<JsonElement> PostAsync(OpsApp app, string path, string body = "{}")
    {
        var response = await app.Client.PostAsync("/ops/jobs/api/" + path, new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
