using Npgsql;

namespace Keelback.Jobs;

/// <summary>Between an app's retention, which looks whether old runs are needed and then deletes them, and who comes to need one: by opening it again, or by an edge from it.</summary>
/// <remarks>
/// It lasts as long as its transaction, and is taken before any row, by a statement of its own: the next one's snapshot then sees what was waited for. No
/// lock on the tables: a look at a week may take long, and every statement that finds runs by their keys would wait for it.
/// </remarks>
internal static class RetentionLock
{
    private const string Key = "hashtextextended('keelback.retention:' || $1, 0)";
    private const long Week = 7 * 86_400_000L;

    /// <summary>To look and to delete.</summary>
    public static NpgsqlBatchCommand ToDelete(string app) => Statement.Of($"select pg_advisory_xact_lock({Key})", Statement.P(app));

    /// <summary>To need an ended run; many may at once.</summary>
    public static NpgsqlCommand ToNeed(string app, NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand($"select pg_advisory_xact_lock_shared({Key})", connection);
        command.Parameters.Add(Statement.P(app));
        return command;
    }

    /// <summary>Whether a run may be deleted while another, which was enqueued just now, comes to need it: one of the same week is not.</summary>
    public static bool Concerns(long run, long now) => WeekOf(run) < WeekOf(now);

    private static long WeekOf(long run) => JobRun.EnqueuedAtOf(run).ToUnixTimeMilliseconds() / Week;
}
