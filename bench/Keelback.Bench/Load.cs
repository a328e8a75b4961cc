using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Keelback.Bench;

/// <summary>The load generator: keep-alive connections, each asking again as soon as it was answered.</summary>
/// <remarks>Told <c>port name seconds</c> it answers <c>requests failures p50 p99</c>. A raw socket costs a tenth of HttpClient, and shares its core with PostgreSQL.</remarks>
internal static class Load
{
    private const int Connections = 16;

    public static async Task<int> RunAsync()
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            var requests = words[1] == "list" ? Requests.Lists.Select(Get).ToArray() : [Post(Requests.NewTrack)];
            var end = Stopwatch.GetTimestamp() + (long)(double.Parse(words[2], CultureInfo.InvariantCulture) * Stopwatch.Frequency);
            var tallies = await Task.WhenAll(Enumerable.Range(0, Connections)
                .Select(i => AskAsync(int.Parse(words[0], null), requests, i * 5, end)));

            var times = tallies.SelectMany(t => t.Times).Order().ToList();
            Child.Answer($"{times.Count} {tallies.Sum(t => t.Failures)} {Percentile(times, 0.5):F0} {Percentile(times, 0.99):F0}");
        }

        return 0;
    }

    private static async Task<(List<long> Times, int Failures)> AskAsync(int port, byte[][] requests, int next, long end)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);

        var (times, failures, answer) = (new List<long>(100_000), 0, new Answer(socket));
        for (var started = Stopwatch.GetTimestamp(); started < end; started = Stopwatch.GetTimestamp())
        {
            await socket.SendAsync(requests[next++ % requests.Length]);
            if (await answer.ReadAsync() is not (200 or 201)) failures++;
            times.Add(Stopwatch.GetTimestamp() - started);
        }

        return (times, failures);
    }

    private static double Percentile(List<long> sorted, double p) =>
        sorted.Count == 0 ? 0 : sorted[(int)(p * (sorted.Count - 1))] * 1e6 / Stopwatch.Frequency;

    private static byte[] Get(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");

    private static byte[] Post(string body) => Encoding.ASCII.GetBytes(
        $"POST /api/tracks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    /// <summary>Reads one answer at a time: no pipelining, so that an answer ends where the buffer does.</summary>
    private sealed class Answer(Socket socket)
    {
        private readonly byte[] _buffer = new byte[1 << 17];

        /// <summary>The status.</summary>
        public async ValueTask<int> ReadAsync()
        {
            var length = 0;
            while (true)
            {
                var read = await socket.ReceiveAsync(_buffer.AsMemory(length));
                if (read == 0) return 0;

                length += read;
                if (IsWhole(_buffer.AsSpan(0, length))) return (_buffer[9] - '0') * 100 + (_buffer[10] - '0') * 10 + _buffer[11] - '0';
            }
        }

        private static bool IsWhole(ReadOnlySpan<byte> text)
        {
            var head = text.IndexOf("\r\n\r\n"u8);
            if (head < 0) return false;

            var at = text[..head].IndexOf("Content-Length: "u8);
            if (at < 0) return text.EndsWith("0\r\n\r\n"u8); // chunked

            var digits = text[(at + 16)..head];
            var end = digits.IndexOf((byte)'\r');
            return text.Length == head + 4 + int.Parse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }
}
