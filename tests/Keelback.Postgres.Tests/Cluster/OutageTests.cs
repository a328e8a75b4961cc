using System.Diagnostics;
using Keelback.Postgres.Guardian;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class OutageTests : IAsyncLifetime
{
    private const int Loops = 10;

    private readonly ClusterPlace _place = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _place.EndAsync();

    [Fact]
    public async Task While_the_database_is_away_loops_log_a_line_a_second_together_and_then_go_on()
    {
        var folder = _place.Folder();
        var (_, url) = await _place.StartUserAsync(folder);
        using var lines = new LogLines();
        using var host = HostWithLoops(url, lines);
        await host.StartAsync();
        var loops = host.Services.GetServices<IHostedService>().OfType<Asking>().ToList();
        await AllPassAsync(loops);

        var began = Stopwatch.GetTimestamp();
        await using (await FileLock.AloneAsync(folder.Starting, TimeSpan.FromSeconds(10), default)) // the guardian must wait
        {
            using (var server = Process.GetProcessById(Postmaster.Read(folder.Data)!.ProcessId)) ClusterPlace.Kill(server);
            await ClusterPlace.UntilAsync(() => lines.Count(1003) >= 4, "Four lines about the outage");
        }

        await AllPassAsync(loops);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Assert.InRange(lines.Count(1003), 4, seconds + 1);
        Assert.Equal(0, lines.Count(1000));
        await host.StopAsync();
    }

    [Theory]
    [InlineData("57P01", true)] // shut down
    [InlineData("57P03", true)] // starting
    [InlineData("53300", true)] // no connection free
    [InlineData("55000", true)] // closed to connections
    [InlineData("08006", true)]
    [InlineData("23505", false)]
    [InlineData("42P01", false)]
    [InlineData("28P01", false)] // a wrong password gets no better by waiting
    public void A_database_that_is_away_is_told_from_a_mistake(string state, bool isOutage) =>
        Assert.Equal(isOutage, Outage.Is(new PostgresException("it says why", "ERROR", "ERROR", state)));

    private static IHost HostWithLoops(string url, LogLines lines)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.AddProvider(lines);
        new KeelbackBuilder(builder).AddPostgres(o => o.ConnectionString = url);
        for (var i = 0; i < Loops; i++)
            builder.Services.AddSingleton<IHostedService>(sp => new Asking(
                sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<Asking>>()));

        return builder.Build();
    }

    private static async Task AllPassAsync(List<Asking> loops)
    {
        var before = loops.ConvertAll(loop => loop.Passes);
        await ClusterPlace.UntilAsync(() => loops.Select((loop, i) => loop.Passes > before[i] + 1).All(passed => passed), "Two passes of every loop");
    }

    private sealed class Asking(NpgsqlDataSource db, TimeProvider clock, ILogger<Asking> log) : PollingService(clock, log)
    {
        private int _passes;

        public int Passes => Volatile.Read(ref _passes);

        protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
        {
            await using var command = db.CreateCommand("select 1");
            await command.ExecuteScalarAsync(stopping);
            Interlocked.Increment(ref _passes);
            return TimeSpan.FromMilliseconds(20);
        }
    }
}
