using System.Text.Json;
using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Does one action to all that a search finds, a page at a time, on any node. A node that dies in a page leaves it to be done again.</summary>
internal sealed class BulkAgent(
    NpgsqlDataSource db, QueueCatalog catalog, RunSearcher searcher, IServiceScopeFactory scopes, TimeProvider clock, ILogger<BulkAgent> log)
    : PollingService(clock, log)
{
    private const int PageSize = 100;
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(2);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping) => await PageAsync(stopping) ? TimeSpan.Zero : s_idle;

    /// <summary>One page. False: there is nothing to do.</summary>
    internal async Task<bool> PageAsync(CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await TakeAsync(connection, ct) is not { } bulk) return false;

        var page = await searcher.FindAsync(bulk.Search with { Before = bulk.UpTo }, PageSize, ct);
        var (done, refused) = (0, 0);
        await using (var scope = scopes.CreateAsyncScope())
        {
            var actions = scope.ServiceProvider.GetRequiredService<RunActions>();
            foreach (var run in page.Runs)
            {
                if (await actions.QuietlyAsync(bulk.Action, run, ct)) done++;
                else refused++;
            }
        }

        await NoteAsync(connection, bulk.Id, page.Next, done, refused, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task<Bulk?> TakeAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select id, action, filter, upto from keelback.bulk where ended_at is null and app = $1 order by id limit 1 for update skip locked", connection);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct)
            ? new(row.GetInt64(0), row.GetString(1), JsonSerializer.Deserialize<RunSearch>(row.GetString(2), OpsJson.Options)!, row.GetInt64(3))
            : null;
    }

    private async Task NoteAsync(NpgsqlConnection connection, long id, long? next, int done, int refused, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            update keelback.bulk set done = done + $2, refused = refused + $3, upto = coalesce($4, upto),
                   ended_at = case when $4 is null then keelback.clock() end, outcome = case when $4 is null then 'done' end
            where id = $1
            returning ended_at is not null, done, refused
            """, connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(done);
        command.Parameters.AddWithValue(refused);
        command.Parameters.Add(new() { Value = (object?)next ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        var outcome = "";
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            await row.ReadAsync(ct);
            if (!row.GetBoolean(0)) return;
            outcome = $"done: {Show.Count(row.GetInt32(1))}, left as they were: {Show.Count(row.GetInt32(2))}";
        }

        await using var told = new NpgsqlCommand("update keelback.audit set outcome = $3 where app = $1 and target = $2", connection);
        told.Parameters.AddWithValue(catalog.App);
        told.Parameters.AddWithValue(BulkActions.Target(id));
        told.Parameters.AddWithValue(outcome);
        await told.ExecuteNonQueryAsync(ct);
    }

    private sealed record Bulk(long Id, string Action, RunSearch Search, long UpTo);
}
