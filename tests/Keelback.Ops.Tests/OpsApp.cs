using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Keelback.Jobs;
using Keelback.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Ops.Tests;

/// <summary>An app with the jobs pages on a test's database, asked in memory, or on a port as people ask it.</summary>
internal sealed class OpsApp : IAsyncDisposable
{
    public static readonly TestTemplate Template = TestTemplate.OfPackages("ops", builder => builder.AddJobs().AddWeb().AddOps());

    private readonly WebApplication _app;
    private readonly AsyncServiceScope _scope;

    private OpsApp(WebApplication app, ConcurrentQueue<string> log)
    {
        (_app, Log) = (app, log);
        _scope = app.Services.CreateAsyncScope();
        if (app.Services.GetRequiredService<IServer>() is Microsoft.AspNetCore.TestHost.TestServer server)
        {
            Client = server.CreateClient();
            Client.BaseAddress = new("http://localhost");
        }
        else Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new(app.Urls.Single()) };
    }

    /// <summary>Follows no redirect and keeps no cookie: a test does both by hand.</summary>
    public HttpClient Client { get; }

    public ConcurrentQueue<string> Log { get; }

    public IServiceProvider Services => _app.Services;

    public JobClient Jobs => _scope.ServiceProvider.GetRequiredService<JobClient>();

    public NpgsqlDataSource Db => Services.GetRequiredService<NpgsqlDataSource>();

    public SearchAgent Agent => Services.GetRequiredService<SearchAgent>();

    /// <summary>Nothing runs by itself: a test drains jobs and passes the agent when it wants to.</summary>
    public static async Task<OpsApp> StartAsync(
        TestDatabase database, IEnumerable<JobKind>? kinds = null, string environment = "Production",
        Action<IServiceCollection>? services = null, Action<WebApplication>? map = null, TimeProvider? clock = null, Action<OpsOptions>? ops = null, bool worker = false,
        bool kestrel = false)
    {
        var log = new ConcurrentQueue<string>();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ApplicationName = "test" });
        builder.Logging.ClearProviders().AddProvider(new Lines(log));
        builder.Services.AddSingleton(NpgsqlDataSource.Create(database.ConnectionString));
        builder.Services.AddSingleton(clock ?? TimeProvider.System);
        builder.Configuration["Keelback:DrainDelay"] = "00:00:00";
        builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("header", null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", p => p.RequireRole("operator")).AddPolicy("viewers", p => p.RequireRole("viewer", "operator"));

        var keelback = builder.AddKeelback().AddPostgres(o => (o.App, o.ListenConnection) = ("test", "")).AddJobs(o =>
        {
            o.RunWorker = worker;
            o.PollInterval = TimeSpan.FromMilliseconds(100);
            o.RetryDelay = TimeSpan.FromMilliseconds(1);
            o.SecretKeys.Add(Convert.ToBase64String(new byte[32]));
        }).AddOps(o =>
        {
            o.RunAgents = worker;
            ops?.Invoke(o);
        });
        foreach (var kind in kinds ?? []) keelback.Services.AddJobKind(kind);
        services?.Invoke(builder.Services);
        if (kestrel) builder.WebHost.UseUrls("http://127.0.0.1:0");
        else builder.WebHost.UseTestServer(); // after AddKeelback, so that it is the server itself that a client is made from

        var app = builder.Build();
        app.UseKeelback();
        map?.Invoke(app);
        await app.StartAsync();
        return new(app, log);
    }

    /// <summary>With the pages open to whoever is an operator, and a client that is one.</summary>
    public static async Task<OpsApp> OpenAsync(
        TestDatabase database, IEnumerable<JobKind>? kinds = null, TimeProvider? clock = null, Action<OpsOptions>? ops = null, bool worker = false, bool kestrel = false,
        Action<JobsOptions>? jobs = null, Action<IServiceCollection>? services = null)
    {
        var app = await StartAsync(database, kinds, services: s =>
        {
            if (jobs is not null) s.Configure(jobs);
            services?.Invoke(s);
        }, clock: clock, worker: worker, kestrel: kestrel, ops: o =>
        {
            o.Policy = "operators";
            ops?.Invoke(o);
        });
        app.Client.DefaultRequestHeaders.Add("X-User", "ada");
        app.Client.DefaultRequestHeaders.Add("X-Role", "operator");
        return app;
    }

    public Task<int> DrainAsync() => Services.GetRequiredService<JobDrainer>().DrainAsync();

    /// <summary>Lets the agent catch up, the second look at late commits included.</summary>
    public async Task CopyAsync()
    {
        await using (var command = Db.CreateCommand("select pg_sleep(0.25)")) await command.ExecuteNonQueryAsync(); // the agent stays 200 ms behind
        for (var pass = 0; pass < 3; pass++)
            while (await Agent.PassAsync(default))
            {
            }
    }

    public async Task<string> PageAsync(string path)
    {
        var response = await Client.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return text;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Db.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _scope.DisposeAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"].ToString() is not { Length: > 0 } user) return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity([new(user.Contains(':') ? user.Split(':')[0] : ClaimTypes.Name, user.Split(':')[^1]), new(ClaimTypes.Role, Request.Headers["X-Role"].ToString())], "header");
            return Task.FromResult(AuthenticateResult.Success(new(new(identity), "header")));
        }
    }

    internal sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
