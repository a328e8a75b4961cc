using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>A wire to PostgreSQL that breaks once, at the first COMMIT after it was armed: before the server gets it, or before its answer comes back.</summary>
public sealed class LossyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly Lose _what;
    private readonly Task _accepting;
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private volatile bool _armed;
    private int _lost;

    public LossyProxy(string connectionString, Lose what)
    {
        (_server, _what) = (new(connectionString), what);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
            Pooling = false,
            SslMode = SslMode.Disable,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public enum Lose
    {
        Answer,
        Commit,

        /// <summary>The answer, and every connection from then on.</summary>
        Server,
    }

    public string ConnectionString { get; }

    public int Lost => _lost;

    public void Arm() => _armed = true;

    /// <summary>Hangs up on every client, whatever the server is doing for it.</summary>
    public void Cut()
    {
        while (_clients.TryTake(out var client)) client.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        _clients.Add(client);
        using (client)
        {
            try
            {
                if (_what == Lose.Server && _lost > 0) return;

                await server.ConnectAsync(_server.Host!, _server.Port, _end.Token);
                await Task.WhenAny(UpAsync(client.GetStream(), server.GetStream()), CopyAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // Either side hung up.
            }
        }
    }

    private static bool IsCommit(ReadOnlySpan<byte> sent) => sent.IndexOf("COMMIT\0"u8) >= 0; // READ COMMITTED, of BEGIN, is none

    private async Task UpAsync(NetworkStream client, NetworkStream server)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await client.ReadAsync(buffer, _end.Token)) > 0)
        {
            if (_armed && IsCommit(buffer.AsSpan(0, read)) && Interlocked.CompareExchange(ref _lost, 1, 0) == 0)
            {
                if (_what != Lose.Commit)
                {
                    // The other direction may forward the answer before we hang up, so it is taken from it.
                    client.Socket.Shutdown(SocketShutdown.Send);
                    await server.WriteAsync(buffer.AsMemory(0, read), _end.Token);
                    await CommittedAsync();
                }

                return;
            }

            await server.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }

    // The transaction is over when nobody in the database is in one.
    private async Task CommittedAsync()
    {
        await using var source = NpgsqlDataSource.Create(_server.ConnectionString);
        while (true)
        {
            await using var open = source.CreateCommand(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null");
            if ((long)(await open.ExecuteScalarAsync(_end.Token))! == 0) return;
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to) => await from.CopyToAsync(to, _end.Token);
}
