using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>One app on a test's database, with a worker or without.</summary>
internal sealed class JobHost : IAsyncDisposable
{
    public static readonly TestTemplate Template = TestTemplate.OfPackages("jobs", builder => builder.AddJobs());

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private readonly IHost _host;
    private readonly AsyncServiceScope _scope;
    private bool _started;

    private JobHost(IHost host)
    {
        _host = host;
        _scope = host.Services.CreateAsyncScope();
    }

    public IServiceProvider Services => _host.Services;

    public JobClient Jobs => _scope.ServiceProvider.GetRequiredService<JobClient>();

    public Worker Worker => Services.GetRequiredService<Worker>();

    public JobRescuer Rescuer => Services.GetRequiredService<JobRescuer>();

    public NpgsqlDataSource Db => Services.GetRequiredService<NpgsqlDataSource>();

    public static JobHost Create(
        TestDatabase database, IEnumerable<JobKind> kinds, Action<JobsOptions>? configure = null,
        Action<IServiceCollection>? services = null, string app = "test", TimeProvider? clock = null,
        Action<KeelbackBuilder>? data = null, string? program = null) =>
        Create(database.ConnectionString, kinds, configure, services, app, clock, data, program);

    public static JobHost Create(
        string connection, IEnumerable<JobKind> kinds, Action<JobsOptions>? configure = null,
        Action<IServiceCollection>? services = null, string app = "test", TimeProvider? clock = null,
        Action<KeelbackBuilder>? data = null, string? program = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = program });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(NpgsqlDataSource.Create(connection));
        builder.Services.AddSingleton(clock ?? TimeProvider.System);
        var keelback = new KeelbackBuilder(builder).AddPostgres(o => (o.App, o.ListenConnection) = (app, "")).AddJobs(o =>
        {
            o.PollInterval = TimeSpan.FromMilliseconds(100);
            o.RetryDelay = TimeSpan.FromMilliseconds(1);
            configure?.Invoke(o);
        });
        foreach (var kind in kinds) keelback.Services.AddJobKind(kind);
        data?.Invoke(keelback);
        services?.Invoke(builder.Services);
        return new(builder.Build());
    }

    public async Task<JobHost> StartAsync()
    {
        _started = true;
        await _host.StartAsync();
        return this;
    }

    public async Task StopAsync()
    {
        if (!_started) return;
        _started = false;
        await _host.StopAsync();
    }

    /// <summary>Waits with a limit, so that a broken engine fails instead of hanging.</summary>
    public async Task<JobRun> EndOf(long run)
    {
        using var patience = new CancellationTokenSource(s_patience);
        return await Jobs.WaitAsync(run, patience.Token);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Db.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _scope.DisposeAsync();
        if (_host is IAsyncDisposable host) await host.DisposeAsync();
        else _host.Dispose();
    }
}
