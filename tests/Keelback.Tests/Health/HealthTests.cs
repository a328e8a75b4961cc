using System.Diagnostics;
using System.Net;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Tests.Health;

public sealed class HealthTests : IAsyncLifetime, IDisposable
{
    private const string AllHealthy = """{"status":"Healthy","checks":{"jobs":"Healthy","draining":"Healthy","database":"Healthy","schema":"Healthy"}}""";
    private static readonly TestTemplate s_packages = TestTemplate.OfPackages("umbrella", keelback => keelback.AddJobs());

    private readonly TestClock _clock = new();
    private readonly HttpClient _http = new();
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(s_packages);

    public void Dispose() => _http.Dispose();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_draining_app_is_alive_not_ready_and_still_answers_until_its_delay_is_over()
    {
        using var shell = Shell();
        await using var app = shell.Build();
        await app.StartAsync();
        await StatusAsync(app, "ready", HttpStatusCode.OK, AllHealthy);

        var stop = app.StopAsync();

        await StatusAsync(app, "ready", HttpStatusCode.ServiceUnavailable, """{"status":"Unhealthy","checks":{"jobs":"Healthy","draining":"Unhealthy","database":"Healthy","schema":"Healthy"}}""");
        var live = await StatusAsync(app, "live", HttpStatusCode.OK, """{"status":"Healthy","checks":{}}""");
        Assert.True(live.Headers.ConnectionClose);
        Assert.False(stop.IsCompleted);

        _clock.Advance(TimeSpan.FromMinutes(1));
        await stop.WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(Url(app, "live")));
    }

    [Fact]
    public async Task An_app_whose_database_went_away_is_alive_and_not_ready_and_does_not_tell_why()
    {
        using var shell = Shell();
        await using var app = shell.Build();
        await app.StartAsync();
        await StatusAsync(app, "ready", HttpStatusCode.OK, AllHealthy);

        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Database = "postgres", Pooling = false });
        var name = new NpgsqlConnectionStringBuilder(_database.ConnectionString).Database;
        await ExecuteAsync(admin, $"alter database {name} allow_connections false");
        await ExecuteAsync(admin, $"select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = '{name}'");

        await StatusAsync(app, "ready", HttpStatusCode.ServiceUnavailable, """{"status":"Unhealthy","checks":{"jobs":"Degraded","draining":"Healthy","database":"Unhealthy","schema":"Healthy"}}""");
        await StatusAsync(app, "live", HttpStatusCode.OK, """{"status":"Healthy","checks":{}}""");

        await ExecuteAsync(admin, $"alter database {name} allow_connections true");
        await StatusAsync(app, "ready", HttpStatusCode.OK, AllHealthy);
        await StopAsync(app);
    }

    [Fact]
    public async Task A_request_is_one_activity_with_the_names_of_the_conventions()
    {
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (ended) ended.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var shell = Shell();
        await using var app = shell.Build();
        app.MapGet("/albums/{id:int}", (int id) => id).AllowAnonymous();
        await app.StartAsync();

        await _http.GetStringAsync($"{app.Urls.First()}/albums/7");
        await StopAsync(app);

        var request = Assert.Single(ended, a => (string?)a.GetTagItem("url.path") == "/albums/7");
        Assert.Equal("GET /albums/{id:int}", request.DisplayName);
        Assert.Equal(200, request.GetTagItem("http.response.status_code"));
    }

    private ShellApp Shell()
    {
        var shell = new ShellApp(keelback => keelback.Services.AddSingleton<TimeProvider>(_clock));
        shell.Configuration["ConnectionStrings:Keelback"] = _database.ConnectionString;
        shell.Configuration["Keelback:DrainDelay"] = "00:01:00";
        shell.Configuration["Keelback:Jobs:RunWorker"] = "false";
        shell.Configuration["urls"] = "http://127.0.0.1:0";
        return shell;
    }

    private async Task StopAsync(WebApplication app)
    {
        var stop = app.StopAsync();
        while (!stop.IsCompleted) _clock.Advance(TimeSpan.FromMinutes(1));
        await stop;
    }

    private async Task<HttpResponseMessage> StatusAsync(WebApplication app, string what, HttpStatusCode status, string body)
    {
        var response = await _http.GetAsync(Url(app, what));
        var answer = await response.Content.ReadAsStringAsync();

        Assert.Equal(body, answer);
        Assert.Equal(status, response.StatusCode);
        return response;
    }

    private static string Url(WebApplication app, string what) => $"{app.Urls.First()}/health/{what}";

    private static async Task ExecuteAsync(NpgsqlDataSource db, string sql)
    {
        await using var command = db.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
