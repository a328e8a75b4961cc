using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Ends the server sessions of attempts that were given up.</summary>
internal sealed class AbandonedSessions(NpgsqlDataSource db, ILogger log)
{
    /// <remarks>
    /// Its transaction would keep its locks, and the next attempt would wait for them. The name tells ours from another's: behind a pooler the
    /// number is not the server's.
    /// </remarks>
    public async Task EndAsync(int session, WorkerIdentity worker)
    {
        try
        {
            await using var command = db.CreateCommand("select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and application_name = $2");
            command.Parameters.AddWithValue(session);
            command.Parameters.AddWithValue(worker.ApplicationName);
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            Log.SessionNotEnded(log, e);
        }
    }
}
