using System.Net;
using System.Net.Sockets;
using Keelback.Data.Tests;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>Enqueueing outside of a transaction while the database goes away.</summary>
public sealed class EnqueueOutageTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);
    private static readonly JobKind s_add = TestJobs.Kind("add", _ => Task.FromResult(1));

    [Theory]
    [InlineData(LossyProxy.Lose.Answer), InlineData(LossyProxy.Lose.Commit)]
    public async Task A_call_with_an_id_of_its_own_is_enqueued_once(LossyProxy.Lose what)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var host = JobHost.Create(proxy.ConnectionString, [s_note], o => o.EnqueuePatience = Patience);
        var id = Guid.CreateVersion7();
        proxy.Arm();

        var run = await host.Jobs.EnqueueAsync(s_note.Call(), new() { Id = id });

        Assert.Equal(1, proxy.Lost);
        Assert.Equal(run, await host.Jobs.EnqueueAsync(s_note.Call(), new() { Id = id }));
        Assert.Equal((1L, 1L), (await CountAsync("run"), await CountAsync("ready")));
    }

    [Theory]
    [InlineData(LossyProxy.Lose.Answer), InlineData(LossyProxy.Lose.Commit)]
    public async Task A_graph_is_enqueued_once(LossyProxy.Lose what)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var host = JobHost.Create(proxy.ConnectionString, [s_add], o => o.EnqueuePatience = Patience);
        proxy.Arm();

        var run = await host.Jobs.EnqueueAsync(s_add.Call(null, new JobBinding("n", s_add.Call<int>())));

        Assert.Equal((1, JobRunState.Blocked), (proxy.Lost, (await host.Jobs.GetAsync(run))!.State));
        Assert.Equal((2L, 1L, 1L), (await CountAsync("run"), await CountAsync("edge"), await CountAsync("ready")));
    }

    [Theory]
    [InlineData(LossyProxy.Lose.Answer), InlineData(LossyProxy.Lose.Commit)]
    public async Task With_idempotent_enqueueing_any_call_is_enqueued_once(LossyProxy.Lose what)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var host = JobHost.Create(proxy.ConnectionString, [s_note], o => (o.IdempotentEnqueue, o.EnqueuePatience) = (true, Patience));
        proxy.Arm();

        var runs = await host.Jobs.EnqueueManyAsync([s_note.Call(), s_note.Call()]);

        Assert.Equal((1, 2, 2L), (proxy.Lost, runs.Distinct().Count(), await CountAsync("ready")));
        foreach (var run in runs) Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
    }

    [Fact]
    public async Task A_call_that_is_tried_again_while_its_first_try_commits_is_enqueued_once()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await host.ScalarAsync<long>("""
            create function slow_commit() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(7); return null; end';
            create constraint trigger slow_commit after insert on keelback.uniq deferrable initially deferred for each row execute function slow_commit();
            select 1::bigint
            """);
        await using var other = await host.Db.OpenConnectionAsync();
        await using (var hold = new NpgsqlCommand("select pg_advisory_lock(7)", other)) await hold.ExecuteNonQueryAsync();
        var options = new EnqueueOptions { Id = Guid.CreateVersion7() };

        await using var proxy = new LossyProxy(Database.ConnectionString, LossyProxy.Lose.Answer);
        await using var caller = JobHost.Create(proxy.ConnectionString, [s_note], o => o.EnqueuePatience = Patience);
        var call = caller.Jobs.EnqueueAsync(s_note.Call(), options);
        await Eventually(() => Waits("advisory"), "the first try commits");
        proxy.Cut();
        await Eventually(() => Waits("transactionid"), "the second try waits for it");
        await using (var open = new NpgsqlCommand("select pg_advisory_unlock(7)", other)) await open.ExecuteNonQueryAsync();

        var run = await call;

        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
        Assert.Equal((1L, 1L), (await CountAsync("run"), await CountAsync("ready")));

        Task<bool> Waits(string what) => host.ScalarAsync<bool>($"select exists (select from pg_locks where locktype = '{what}' and not granted)");
    }

    [Fact]
    public async Task A_plain_call_whose_answer_was_lost_is_an_error_that_says_so()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await host.Jobs.EnqueueAsync(s_note.Call()); // the pool has a connection
        await using (var hangUp = Database.DataSource.CreateCommand(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"))
            await hangUp.ExecuteNonQueryAsync();

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call()));

        Assert.Equal("KB1270: The database stopped answering while 'note' was being enqueued: nobody knows whether it was. " +
            "Give the call an EnqueueOptions.Id, with which it can be made again without harm, or set Keelback:Jobs:IdempotentEnqueue.", error.Message);
        Assert.IsAssignableFrom<NpgsqlException>(error.InnerException);
    }

    [Fact]
    public async Task A_database_that_comes_back_in_time_gets_the_call()
    {
        var port = FreePort();
        var real = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        await using var host = JobHost.Create(
            new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Host = "127.0.0.1", Port = port, Pooling = false, SslMode = SslMode.Disable }.ConnectionString,
            [s_note], o => o.EnqueuePatience = TimeSpan.FromSeconds(60));

        var enqueueing = host.Jobs.EnqueueAsync(s_note.Call());
        Assert.False(enqueueing.IsCompleted);
        using var back = new Forwarder(port, real.Host!, real.Port);

        Assert.True(await enqueueing > 0);
        Assert.Equal(1, await CountAsync("ready"));
    }

    [Fact]
    public async Task A_database_that_stays_away_is_an_error_that_says_for_how_long()
    {
        await using var host = JobHost.Create(
            new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Host = "127.0.0.1", Port = FreePort() }.ConnectionString,
            [s_note], o => o.EnqueuePatience = TimeSpan.FromSeconds(1));

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call()));

        Assert.Equal("KB1271: 'note' was not enqueued: the database did not answer within Keelback:Jobs:EnqueuePatience (00:00:01). " +
            "Nothing was written; enqueue it again when the database is back.", error.Message);
    }

    private async Task<long> CountAsync(string table)
    {
        await using var command = Database.DataSource.CreateCommand($"select count(*) from keelback.{table}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A server that comes up late.</summary>
    private sealed class Forwarder : IDisposable
    {
        private readonly TcpListener _listener;

        public Forwarder(int port, string host, int to)
        {
            _listener = new(IPAddress.Loopback, port);
            _listener.Start();
            _ = AcceptAsync(host, to);
        }

        public void Dispose() => _listener.Stop();

        private async Task AcceptAsync(string host, int to)
        {
            try
            {
                while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(), host, to);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Stopped.
            }
        }

        private static async Task ServeAsync(TcpClient client, string host, int to)
        {
            using var server = new TcpClient();
            using (client)
            {
                await server.ConnectAsync(host, to);
                await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
            }
        }
    }
}
