using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops.Tests;

/// <summary>What is said of the pages when a process starts.</summary>
public sealed class StartTests : OpsTest
{
    [Theory]
    [InlineData("serve", 1)]
    [InlineData("worker", 0)]
    public async Task The_link_for_development_is_told_where_it_can_be_followed(string command, int told)
    {
        var log = new ConcurrentQueue<string>();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "test", Args = ["--urls", "http://127.0.0.1:0"] });
        builder.Logging.ClearProviders().AddProvider(new OpsApp.Lines(log));
        builder.Services.AddSingleton(NpgsqlDataSource.Create(Database.ConnectionString));
        builder.Services.AddSingleton(new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null));
        builder.AddKeelback(o => o.DrainDelay = TimeSpan.Zero).AddPostgres(o => (o.App, o.ListenConnection) = ("test", ""));
        var app = builder.Build();
        app.UseKeelback();
        using var stop = new CancellationTokenSource();
        app.Lifetime.ApplicationStarted.Register(stop.Cancel);

        await app.RunKeelbackAsync([command], stop.Token);

        Assert.Equal(told, log.Count(line => line.Contains("/ops/jobs/open?token=", StringComparison.Ordinal)));
    }
}
