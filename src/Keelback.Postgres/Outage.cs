using System.Net.Sockets;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Tells a database that is away from a mistake, and keeps an outage from filling the log.</summary>
internal static class Outage
{
    // The log is the process's, so the budget is too: a dozen loops notice the same outage at the same time.
    private static long s_lastLine = long.MinValue;
    private static int s_unsaid;

    /// <summary>Whether waiting may help: no connection, or a server that starts, stops, or has no slot free.</summary>
    public static bool Is(Exception e) => e switch
    {
        PostgresException { SqlState: var state } =>
            state.StartsWith("08", StringComparison.Ordinal)        // connection exceptions
            || state is "57P01" or "57P02" or "57P03" or "53300"    // shut down, crashed, starting; too many connections
            || state is "55000",                                    // the database is closed to connections for a while
        NpgsqlException { InnerException: SocketException or IOException or TimeoutException } => true,
        NpgsqlException n => n.IsTransient,
        SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Whether this second's line is still free; if so, how many others went unsaid before it.</summary>
    public static bool MayLog(TimeProvider clock, out int unsaid)
    {
        unsaid = 0;
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref s_lastLine);
        var free = last == long.MinValue || now < last || clock.GetElapsedTime(last, now) >= TimeSpan.FromSeconds(1);
        if (!free || Interlocked.CompareExchange(ref s_lastLine, now, last) != last)
        {
            Interlocked.Increment(ref s_unsaid);
            return false;
        }

        unsaid = Interlocked.Exchange(ref s_unsaid, 0);
        return true;
    }
}
