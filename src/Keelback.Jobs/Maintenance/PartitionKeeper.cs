using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Makes the partitions of the coming weeks. There is no default partition: one that filled would have to be locked to be split.</summary>
internal sealed class PartitionKeeper(NpgsqlDataSource db, TimeProvider clock, ILogger<PartitionKeeper> log) : PollingService(clock, log)
{
    private const int WeeksAhead = 5;

    protected override TimeSpan RetryAfter => TimeSpan.FromMinutes(1);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await MakeAsync(db, stopping);
        return TimeSpan.FromHours(1);
    }

    internal static async Task<int> MakeAsync(NpgsqlDataSource db, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);

        // One node makes them, and none waits behind a long transaction with every enqueuer queueing behind it.
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new("select set_config('lock_timeout', '2s', true)"),
                new("select pg_advisory_xact_lock(hashtextextended('keelback.partitions', 0))"),
                Statement.Of("select keelback.make_run_partitions($1)", Statement.P(WeeksAhead)),
            },
        };

        var made = 0;
        await using (var row = await batch.ExecuteReaderAsync(ct))
        {
            await row.NextResultAsync(ct);
            await row.NextResultAsync(ct);
            await row.ReadAsync(ct);
            made = row.GetInt32(0);
        }

        await transaction.CommitAsync(ct);
        return made;
    }
}
