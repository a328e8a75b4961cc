using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class WakeUpTests : IAsyncLifetime
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(60);
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(SystemTemplate.Postgres);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public void A_signal_wakes_this_process_at_once_and_only_on_its_channel()
    {
        var wakeUps = new WakeUps();
        var woken = new List<string>();
        using var mail = wakeUps.Subscribe("mail", () => woken.Add("mail"));
        using var etl = wakeUps.Subscribe("etl", () => woken.Add("etl"));

        wakeUps.Signal("mail");

        Assert.Equal(["mail"], woken);
    }

    [Fact]
    public void A_disposed_subscription_hears_nothing_more()
    {
        var wakeUps = new WakeUps();
        var (one, other) = (0, 0);
        var first = wakeUps.Subscribe("mail", () => one++);
        using var second = wakeUps.Subscribe("mail", () => other++);

        first.Dispose();
        first.Dispose();
        wakeUps.Signal("mail");

        Assert.Equal((0, 1), (one, other));
    }

    [Fact]
    public void What_a_loop_of_this_process_waits_for_is_told_from_what_only_others_do()
    {
        var wakeUps = new WakeUps();
        wakeUps.Signal("mail");
        Assert.False(wakeUps.AreHeardHere);

        using var own = wakeUps.Subscribe("mail", () => { });
        Assert.True(wakeUps.AreHeardHere);

        wakeUps.TakePending();
        Assert.False(wakeUps.AreHeardHere);
    }

    [Fact]
    public async Task A_signal_reaches_another_process_once_and_does_not_come_back()
    {
        using var here = await StartNodeAsync();
        using var there = await StartNodeAsync();
        var (heard, echoes) = (new SemaphoreSlim(0), 0);
        using var subscription = Node(there).Subscribe("mail", () => heard.Release());
        using var own = Node(here).Subscribe("mail", () => Interlocked.Increment(ref echoes));
        await ListeningAsync(2);
        Drain(heard);
        Interlocked.Exchange(ref echoes, 0);

        Node(here).Signal("mail");

        Assert.True(await heard.WaitAsync(s_soon));
        Node(there).Signal("mail"); // a round trip later, an echo would have come
        await UntilAsync(() => Volatile.Read(ref echoes) >= 2);
        Assert.Equal(2, echoes);
    }

    [Fact]
    public async Task A_burst_of_signals_becomes_a_few_notifications()
    {
        using var here = await StartNodeAsync();
        using var there = await StartNodeAsync();
        await ListeningAsync(2);
        var (calls, done) = (0, new SemaphoreSlim(0));
        using var mail = Node(there).Subscribe("mail", () => Interlocked.Increment(ref calls));
        using var end = Node(there).Subscribe("end", () => done.Release());

        for (var i = 0; i < 10_000; i++) Node(here).Signal("mail");
        Node(here).Signal("end");

        Assert.True(await done.WaitAsync(s_soon));
        Assert.InRange(calls, 1, 1_000);
    }

    [Fact]
    public async Task Ears_that_were_cut_off_listen_again_and_assume_that_they_missed_something()
    {
        using var node = await StartNodeAsync();
        await ListeningAsync(1);
        var woken = new SemaphoreSlim(0);
        using var subscription = Node(node).Subscribe("mail", () => woken.Release());

        await _database.DataSource.CreateCommand(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'").ExecuteNonQueryAsync();

        Assert.True(await woken.WaitAsync(s_soon));
        await ListeningAsync(1);
    }

    [Fact]
    public async Task Signals_take_the_direct_connection_where_there_is_one()
    {
        using var here = await StartNodeAsync(o => o.ListenConnection = _database.ConnectionString + ";Application Name=direct");
        using var there = await StartNodeAsync();
        await ListeningAsync(2);
        var woken = new SemaphoreSlim(0);
        using var subscription = Node(there).Subscribe("mail", () => woken.Release());

        Node(here).Signal("mail");

        Assert.True(await woken.WaitAsync(s_soon));
        await using var command = _database.DataSource.CreateCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'direct'");
        Assert.Equal(2L, await command.ExecuteScalarAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_link_pings_so_that_one_that_is_half_open_is_noticed_and_takes_nothing_from_the_pool(bool direct)
    {
        var link = new WakeUpLink(Options.Create(new PostgresOptions { ListenConnection = direct ? _database.ConnectionString : null }));

        await using var connection = await link.OpenAsync(_database.DataSource, default);

        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString);
        Assert.Equal((10, false), (settings.KeepAlive, settings.Pooling));
        await using var command = new NpgsqlCommand("select current_database()", connection);
        Assert.Equal(new NpgsqlConnectionStringBuilder(_database.ConnectionString).Database, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task An_empty_listen_connection_turns_the_link_off()
    {
        using var node = await StartNodeAsync(o => o.ListenConnection = "");
        var woken = 0;
        using var subscription = Node(node).Subscribe("mail", () => woken++);

        Node(node).Signal("mail");

        Assert.Equal(1, woken);
        Assert.Equal(0L, await ListenersAsync());
    }

    private static WakeUps Node(IHost node) => node.Services.GetRequiredService<WakeUps>();

    private static void Drain(SemaphoreSlim signals)
    {
        while (signals.Wait(0)) { }
    }

    private async Task<IHost> StartNodeAsync(Action<PostgresOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        new KeelbackBuilder(builder).AddPostgres(o =>
        {
            o.ConnectionString = _database.ConnectionString;
            configure?.Invoke(o);
        });

        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private async Task<long> ListenersAsync()
    {
        await using var command = _database.DataSource.CreateCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task ListeningAsync(int nodes) => await UntilAsync(async () => await ListenersAsync() == nodes);

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(s_soon);
        while (!await holds()) await Task.Delay(10, deadline.Token);
    }
}
