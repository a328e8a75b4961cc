using System.Net;
using System.Net.Sockets;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class DatabaseStartTests
{
    private static readonly TestTemplate s_empty = new("empty", (_, _) => Task.CompletedTask);

    [Fact]
    public async Task The_schema_is_there_before_any_other_service_starts()
    {
        await using var database = await TestDatabase.CreateAsync(s_empty);
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(database.DataSource);
        builder.Services.AddHostedService<AsksForTheTime>();
        new KeelbackBuilder(builder).AddPostgres();
        using var host = builder.Build();

        await host.StartAsync();

        await host.StopAsync();
    }

    [Fact]
    public async Task With_migrations_off_a_missing_schema_stops_the_start()
    {
        await using var database = await TestDatabase.CreateAsync(s_empty);
        using var host = HostFor(database.ConnectionString, o => o.MigrateAtStart = false);

        var e = await Assert.ThrowsAsync<KeelbackException>(() => host.StartAsync());

        Assert.StartsWith(
            "KB1004: The keelback schema is older than this program, and Keelback:Postgres:MigrateAtStart is off; pending: postgres 0001 clock",
            e.Message);
    }

    [Fact]
    public async Task A_database_that_never_answers_ends_the_start_in_one_clear_error()
    {
        var port = FreePort();
        using var host = HostFor($"Host=127.0.0.1;Port={port};Database=none", o => o.StartTimeout = TimeSpan.FromSeconds(2));

        var e = await Assert.ThrowsAsync<KeelbackException>(() => host.StartAsync());

        Assert.StartsWith($"KB1006: PostgreSQL at 127.0.0.1:{port} did not answer for ", e.Message);
        Assert.EndsWith("Start it, correct the connection, or raise Keelback:Postgres:StartTimeout.", e.Message);
    }

    [Fact]
    public async Task A_database_that_comes_late_is_waited_for()
    {
        await using var database = await TestDatabase.CreateAsync(s_empty);
        var real = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var port = FreePort();
        var late = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Host = "127.0.0.1", Port = port };
        using var lines = new LogLines();
        using var host = HostFor(late.ConnectionString, o => o.StartTimeout = TimeSpan.FromSeconds(60), lines);

        var start = host.StartAsync();
        var waiting = await lines.NextAsync(1002);
        using var door = new TcpListener(IPAddress.Loopback, port);
        door.Start();
        _ = ForwardAsync(door, real.Host!, real.Port);

        await start.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.StartsWith($"PostgreSQL at 127.0.0.1:{port} does not answer yet (Connection refused); waiting up to ", waiting.Text);
        await host.StopAsync();
    }

    private static IHost HostFor(string connection, Action<PostgresOptions> configure, LogLines? lines = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        if (lines is not null) builder.Logging.AddProvider(lines);
        new KeelbackBuilder(builder).AddPostgres(o =>
        {
            o.ConnectionString = connection;
            o.ListenConnection = "";
            configure(o);
        });
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ForwardAsync(TcpListener door, string host, int port)
    {
        try
        {
            while (true)
            {
                var client = await door.AcceptTcpClientAsync();
                var server = new TcpClient(host, port);
                _ = client.GetStream().CopyToAsync(server.GetStream()).ContinueWith(_ => server.Dispose(), TaskScheduler.Default);
                _ = server.GetStream().CopyToAsync(client.GetStream()).ContinueWith(_ => client.Dispose(), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the door is closed
        }
    }

    private sealed class AsksForTheTime(NpgsqlDataSource db) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken) =>
            await db.CreateCommand("select keelback.clock()").ExecuteScalarAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
