using System.Net;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using TestClock = Keelback.Testing.TestClock;

namespace Keelback.Ops.Tests;

public sealed class AccessTests : OpsTest
{
    [Fact]
    public async Task Without_a_policy_every_address_is_closed_and_the_start_says_so()
    {
        await using var app = await OpsApp.StartAsync(Database);

        foreach (var (method, path) in Addresses(app))
            Assert.Equal((path, HttpStatusCode.NotFound), (path, await StatusAsync(app, method, path)));

        Assert.Contains(app.Log, line => line.StartsWith("1701 ") && line.Contains("/ops/jobs"));
    }

    [Fact]
    public async Task A_fallback_policy_of_the_app_does_not_open_the_pages()
    {
        await using var app = await OpsApp.StartAsync(Database, services: services =>
            services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()));
        app.Client.DefaultRequestHeaders.Add("X-User", "anybody");

        var response = await app.Client.GetAsync("/ops/jobs");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_named_policy_decides_about_every_address()
    {
        await using var app = await OpsApp.StartAsync(Database, ops: o => o.Policy = "operators");
        var anonymous = new List<HttpStatusCode>();
        foreach (var (method, path) in Addresses(app)) anonymous.Add(await StatusAsync(app, method, path));

        app.Client.DefaultRequestHeaders.Add("X-User", "bob");
        app.Client.DefaultRequestHeaders.Add("X-Role", "cook");
        var stranger = await StatusAsync(app, HttpMethod.Get, "/ops/jobs");
        app.Client.DefaultRequestHeaders.Remove("X-Role");
        app.Client.DefaultRequestHeaders.Add("X-Role", "operator");

        Assert.All(anonymous, status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        Assert.Equal(HttpStatusCode.Forbidden, stranger);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
    }

    [Fact]
    public async Task Who_has_not_the_policy_for_actions_sees_every_page_without_its_buttons_and_can_do_nothing()
    {
        var failing = TestJobs.Kind("failing", _ => throw new InvalidOperationException("Never"), j => j.MaxAttempts = 1).With(new LimitAttribute("one") { Slots = 1 });
        await using var app = await OpsApp.OpenAsync(Database, [failing], ops: o => (o.Policy, o.ActionPolicy) = ("viewers", "operators"));
        var run = await app.Jobs.EnqueueAsync(failing.Call());
        await app.DrainAsync();
        await app.CopyAsync();
        string[] pages = ["", "/runs?kind=failing", $"/runs/{run}", "/schedules", "/workers", "/limits", "/audit"];
        var forms = 0;
        foreach (var page in pages) forms += Forms(await app.PageAsync("/ops/jobs" + page));
        Assert.Equal(1, Forms(await app.PageAsync("/ops/jobs/limits")));

        app.Client.DefaultRequestHeaders.Remove("X-Role");
        app.Client.DefaultRequestHeaders.Add("X-Role", "viewer");

        Assert.True(forms > 3);
        foreach (var page in pages) Assert.Equal((page, 0), (page, Forms(await app.PageAsync("/ops/jobs" + page))));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(app, HttpMethod.Get, $"/ops/jobs/runs/{run}/edit"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(app, HttpMethod.Get, "/ops/jobs/bulk?kind=failing&action=retry"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, HttpMethod.Get, $"/ops/jobs/api/runs/{run}"));
        foreach (var (method, path) in Addresses(app).Where(a => a.Method != HttpMethod.Get))
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, await StatusAsync(app, method, path)));

        static int Forms(string html) => System.Text.RegularExpressions.Regex.Count(html, "method=\"post\"|/edit\"|/bulk\\?");
    }

    [Fact]
    public async Task Pages_that_are_open_to_everyone_let_nobody_act_without_the_policy_for_actions()
    {
        await using var app = await OpsApp.StartAsync(Database, map: a => a.MapJobsPages().AllowAnonymous(), ops: o => o.ActionPolicy = "operators");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
        foreach (var (method, path) in Addresses(app).Where(a => a.Method != HttpMethod.Get))
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, await StatusAsync(app, method, path)));
    }

    [Fact]
    public async Task What_the_app_says_of_the_mapped_pages_counts_and_mapping_twice_is_once()
    {
        await using var app = await OpsApp.StartAsync(Database, map: a => a.MapJobsPages().RequireAuthorization("operators"));

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
        app.Client.DefaultRequestHeaders.Add("X-User", "ada");
        app.Client.DefaultRequestHeaders.Add("X-Role", "operator");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
    }

    [Fact]
    public async Task In_development_a_link_from_the_log_opens_the_pages_once()
    {
        await using var app = await OpsApp.StartAsync(Database, environment: "Development");
        var link = app.Log.Single(line => line.StartsWith("1700 ")).Split("once by ")[1].Trim();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));

        var opened = await app.Client.GetAsync(link[link.IndexOf("/ops", StringComparison.Ordinal)..]);
        var again = await app.Client.GetAsync(link[link.IndexOf("/ops", StringComparison.Ordinal)..]);
        var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
        app.Client.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);

        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        Assert.Contains("path=/ops/jobs", cookie);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Contains("This link is not valid (any more)", await again.Content.ReadAsStringAsync());
        Assert.False(again.Headers.Contains("Set-Cookie"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
    }

    [Fact]
    public async Task A_development_session_ends_after_its_time_without_requests()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.StartAsync(Database, environment: "Development", clock: clock);
        var link = app.Log.Single(line => line.StartsWith("1700 ")).Split("once by ")[1].Trim();
        var opened = await app.Client.GetAsync(link[link.IndexOf("/ops", StringComparison.Ordinal)..]);
        app.Client.DefaultRequestHeaders.Add("Cookie", opened.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);

        clock.Advance(TimeSpan.FromMinutes(50));
        var renewed = await StatusAsync(app, HttpMethod.Get, "/ops/jobs");
        clock.Advance(TimeSpan.FromMinutes(61));

        Assert.Equal(HttpStatusCode.OK, renewed);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, HttpMethod.Get, "/ops/jobs"));
    }

    [Theory]
    [InlineData("ada", "ada")]
    [InlineData("sub:4711", "4711")]
    [InlineData("other:x", "(no name) header")]
    public async Task Who_has_a_login_is_told_by_it_in_the_audit(string user, string told)
    {
        await using var app = await OpsApp.OpenAsync(Database);
        app.Client.DefaultRequestHeaders.Remove("X-User");
        app.Client.DefaultRequestHeaders.Add("X-User", user);

        await app.Client.PostAsync("/ops/jobs/api/workers/all/pause", new StringContent("{}", System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal(told, await app.ScalarAsync<string>("select who from keelback.audit"));
    }

    [Theory]
    [InlineData(true, "", "in ")]
    [InlineData(true, "ephemeral", "in the memory of this process")]
    [InlineData(true, "folder", null)]
    [InlineData(true, "app service", null)]
    [InlineData(true, "own", null)]
    [InlineData(false, "", null)]
    public async Task An_app_that_opens_the_pages_and_leaves_its_keys_to_chance_is_warned_at_its_start(bool opens, string keys, string? place)
    {
        var folder = Directory.CreateTempSubdirectory("keelback-keys");
        var instance = Environment.GetEnvironmentVariable("WEBSITE_INSTANCE_ID");
        if (keys == "app service") Environment.SetEnvironmentVariable("WEBSITE_INSTANCE_ID", "1");
        try
        {
            await using var app = await OpsApp.StartAsync(Database, services: services =>
            {
                if (keys == "ephemeral") services.AddDataProtection().UseEphemeralDataProtectionProvider();
                if (keys == "folder") services.AddDataProtection().PersistKeysToFileSystem(folder);
                if (keys == "own") services.AddSingleton<IDataProtectionProvider>(new OwnProtection());
            }, map: a =>
            {
                if (opens) a.MapJobsPages().RequireAuthorization("operators");
            });

            var told = app.Log.Where(line => line.StartsWith("1705 KB1728: Nothing says where data-protection keys are kept, so they are "));

            if (place is null) Assert.Empty(told);
            else Assert.Contains($"so they are {place}", Assert.Single(told));
        }
        finally
        {
            Environment.SetEnvironmentVariable("WEBSITE_INSTANCE_ID", instance);
            folder.Delete(recursive: true);
        }
    }

    private sealed class OwnProtection : IDataProtectionProvider
    {
        public IDataProtector CreateProtector(string purpose) => new EphemeralDataProtectionProvider().CreateProtector(purpose);
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public async Task Neither_development_nor_a_worker_is_warned_of_its_keys(string environment, bool listens)
    {
        await using var app = await OpsApp.StartAsync(Database, environment: environment, map: a =>
        {
            if (!listens) a.Services.GetRequiredService<IServer>().Features.Set<IServerAddressesFeature>(null);
            a.MapJobsPages().RequireAuthorization("operators");
        });

        Assert.DoesNotContain(app.Log, line => line.StartsWith("1705 "));
    }

    [Fact]
    public async Task The_link_does_not_exist_in_production()
    {
        await using var app = await OpsApp.StartAsync(Database);

        var response = await app.Client.GetAsync("/ops/jobs/open?token=");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.DoesNotContain(app.Log, line => line.StartsWith("1700 "));
    }

    [Fact]
    public async Task A_page_allows_the_browser_nothing_but_our_own_files()
    {
        await using var app = await OpsApp.OpenAsync(Database);

        var response = await app.Client.GetAsync("/ops/jobs");

        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy);
        Assert.DoesNotContain("unsafe", policy);
        var html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain(" style=", html);
        Assert.DoesNotContain("<style", html);
        Assert.DoesNotContain("onclick", html);
    }

    [Fact]
    public async Task A_file_may_be_kept_for_good_since_its_name_changes_with_it()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var html = await app.PageAsync("/ops/jobs");
        var path = html.Split("rel=\"stylesheet\" href=\"")[1].Split('"')[0];

        var response = await app.Client.GetAsync(path);
        var other = await app.Client.GetAsync("/ops/jobs/-/ops.000000000000.css");

        Assert.Equal("text/css", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("immutable", response.Headers.CacheControl!.ToString());
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    /// <summary>Every address of the pages but their files, and the link, which decides for itself.</summary>
    private static IEnumerable<(HttpMethod Method, string Path)> Addresses(OpsApp app)
    {
        var routes = app.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<PlaceMetadata>() is not null).ToList();
        Assert.True(routes.Count > 4);
        Assert.Equal(7, routes.Count(e => e.RoutePattern.RawText!.Contains("/limits", StringComparison.Ordinal))); // the page, two forms, two of the API to read, two to act
        return
            from route in routes
            let path = "/" + route.RoutePattern.RawText!.Trim('/')
            where !path.Contains("/-/") && !path.EndsWith("/open")
            from method in route.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
            select (new HttpMethod(method), path.Replace("{id:long}", "1").Replace("{name}", "x"));
    }

    private static async Task<HttpStatusCode> StatusAsync(OpsApp app, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        return (await app.Client.SendAsync(request)).StatusCode;
    }
}
