using System.Net;
using System.Net.Sockets;
using Keelback.Postgres.Tests;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Tests.Commands;

public sealed class ServerTests
{
    private static readonly TestTemplate s_packages = TestTemplate.OfPackages("server", keelback => keelback.AddJobs());

    [Fact]
    public async Task An_address_that_is_taken_is_told_with_the_way_out()
    {
        await using var database = await TestDatabase.CreateAsync(s_packages);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";
        using var app = new ShellApp();
        app.Configuration["ConnectionStrings:Keelback"] = database.ConnectionString;
        app.Configuration["Keelback:Jobs:RunWorker"] = "false";
        app.Configuration["urls"] = address;

        var code = await app.RunAsync();

        Assert.Equal(
            (1, $"KB1509: Failed to bind to address {address}: address already in use. Another program listens there: stop it, " +
                "or choose another address with --urls http://localhost:PORT.\n"),
            (code, app.Error));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("worker")]
    public async Task Told_to_stop_while_it_waits_for_the_database_it_ends_without_a_complaint(string command)
    {
        using var lines = new LogLines();
        using var shell = new ShellApp(keelback => keelback.Services.AddSingleton<ILoggerProvider>(lines));
        var app = shell.Build(command);
        var running = app.RunKeelbackAsync([command]);
        await lines.NextAsync(1002);

        app.Lifetime.StopApplication();

        Assert.Equal((130, ""), (await running.WaitAsync(TimeSpan.FromSeconds(60)), shell.Error));
    }

    [Fact]
    public async Task A_server_that_came_too_late_would_listen_in_a_worker()
    {
        using var app = new ShellApp(k => ((WebApplicationBuilder)k.Host).WebHost.UseKestrel(_ => { }));

        var code = await app.RunAsync("worker");

        Assert.Equal(
            (1, "KB1510: KestrelServerImpl was registered after AddKeelback, so 'worker' cannot keep it from listening. " +
                "Call builder.WebHost.UseKestrel(…) before builder.AddKeelback(…); ConfigureKestrel is fine anywhere.\n"),
            (code, app.Error));
    }
}
