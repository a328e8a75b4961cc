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
    private const int MostFailures = 5; // in a row, about a second apart
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(2);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping) => await PageAsync(stopping) ? TimeSpan.Zero : s_idle;

    /// <summary>One page. False: there is nothing to do.</summary>
    internal async Task<bool> PageAsync(CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await TakeAsync(connection, ct) is not { } bulk) return false;

        try
        {
            await ActAsync(connection, bulk, ct);
            await transaction.CommitAsync(ct);
        }
        catch (Exception e) when (e is not OperationCanceledException && !Outage.Is(e))
        {
            await transaction.RollbackAsync(ct);
            await FailedAsync(connection, bulk, e, ct);
            throw;
        }

        return true;
    }

    // One that failed comes after those that did not: it may go on failing.
    private async Task<Bulk?> TakeAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select id, action, filter, upto, failures from keelback.bulk where ended_at is null and app = $1
            order by failures, id limit 1 for update skip locked
            """, connection);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt16(4)) : null;
    }

    private async Task ActAsync(NpgsqlConnection connection, Bulk bulk, CancellationToken ct)
    {
        var search = JsonSerializer.Deserialize<RunSearch>(bulk.Filter, OpsJson.Options)!;
        var page = await searcher.FindAsync(search with { Before = bulk.UpTo }, PageSize, ct);
        var (done, refused) = (new List<long>(), 0);
        await using (var scope = scopes.CreateAsyncScope())
        {
            var actions = scope.ServiceProvider.GetRequiredService<RunActions>();
            foreach (var run in page.Runs)
            {
                if (await actions.QuietlyAsync(bulk.Action, run, ct)) done.Add(run.Id);
                else refused++;
            }
        }

        await BulkMembers.NoteAsync(connection, bulk.Id, done, ct);
        await NoteAsync(connection, bulk.Id, page.Next, done.Count, refused, ct);
        if (page.Next is null) await BulkEnd.TellAsync(connection, bulk.Id, "done", ct);
    }

    private static async Task NoteAsync(NpgsqlConnection connection, long id, long? next, int done, int refused, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "update keelback.bulk set done = done + $2, refused = refused + $3, upto = coalesce($4, upto), failures = 0 where id = $1", connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(done);
        command.Parameters.AddWithValue(refused);
        command.Parameters.Add(new() { Value = (object?)next ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task FailedAsync(NpgsqlConnection connection, Bulk bulk, Exception why, CancellationToken ct)
    {
        await using (var command = new NpgsqlCommand("update keelback.bulk set failures = failures + 1 where id = $1", connection))
        {
            command.Parameters.AddWithValue(bulk.Id);
            await command.ExecuteNonQueryAsync(ct);
        }

        if (bulk.Failures + 1 >= MostFailures) await BulkEnd.TellAsync(connection, bulk.Id, $"failed: {why.Message}", ct);
    }

    private sealed record Bulk(long Id, string Action, string Filter, long UpTo, int Failures);
}
