using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Keelback.Chaos;

/// <summary>What a wire does to what goes over it.</summary>
internal enum WireFault
{
    None,

    /// <summary>Nothing passes, either way, and no side is told. What is on its way arrives when the wire heals.</summary>
    Blackhole,

    /// <summary>The server hears, and its answers do not arrive.</summary>
    NoAnswers,

    /// <summary>What the client says does not arrive.</summary>
    NoRequests,

    /// <summary>200 ms, more or less, each way.</summary>
    Slow,

    /// <summary>A kilobyte a second.</summary>
    Trickle,
}

/// <summary>The one way from a process to PostgreSQL; it can be cut, held and slowed without root.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _server;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private readonly Task _accepting;
    private volatile WireFault _fault;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _answersToLose;
    private int _answersLost;

    public Wire(int server)
    {
        _server = server;
        Port = Server.FreePort();
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Connections that were cut between a request and its answer.</summary>
    public int AnswersLost => _answersLost;

    public WireFault Fault
    {
        get => _fault;
        set
        {
            _fault = value;
            Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    /// <summary>Cuts the next so many connections on which the server answers: whether it committed, the client cannot know.</summary>
    public void LoseAnswers(int count) => Interlocked.Exchange(ref _answersToLose, count);

    /// <summary>Resets every connection.</summary>
    public void Reset()
    {
        foreach (var socket in _sockets.Keys) Cut(socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        Reset();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptSocketAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                _sockets[client] = 0;
                await PassableAsync(WireFault.NoRequests);
                await server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
                _sockets[server] = 0;
                await Task.WhenAny(CopyAsync(client, server, WireFault.NoRequests), CopyAsync(server, client, WireFault.NoAnswers));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // Either side hung up.
            }
            finally
            {
                _sockets.TryRemove(client, out _);
                _sockets.TryRemove(server, out _);
                Cut(client);
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, WireFault held)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, _end.Token)) > 0)
            {
                await PassableAsync(held);
                if (held == WireFault.NoAnswers && Loses())
                {
                    Cut(to);
                    return;
                }

                if (_fault == WireFault.Slow) await Task.Delay(Random.Shared.Next(100, 300), _end.Token);
                if (_fault == WireFault.Trickle) await Task.Delay(Math.Min(2000, read), _end.Token);
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _end.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other side hung up.
        }
    }

    private async Task PassableAsync(WireFault held)
    {
        while (true)
        {
            var changed = _changed;
            if (_fault != WireFault.Blackhole && _fault != held) return;
            await changed.Task.WaitAsync(_end.Token);
        }
    }

    // Every third answer, so that not only a connection's first one is lost, which is its greeting.
    private bool Loses()
    {
        if (Volatile.Read(ref _answersToLose) <= 0 || Random.Shared.Next(3) > 0) return false;
        if (Interlocked.Decrement(ref _answersToLose) < 0) return false;
        Interlocked.Increment(ref _answersLost);
        return true;
    }

    private static void Cut(Socket socket)
    {
        try
        {
            socket.LingerState = new(true, 0); // RST, not FIN
            socket.Close();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone.
        }
    }
}
