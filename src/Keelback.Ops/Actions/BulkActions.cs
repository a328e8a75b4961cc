using System.Text.Json;
using Keelback.Jobs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops;

/// <summary>An action over a whole search, and how far it is.</summary>
internal sealed record BulkLook(
    long Id, string Who, string Action, RunSearch Search, DateTimeOffset At, int Done, int Refused, DateTimeOffset? EndedAt, DateTimeOffset Now)
{
    /// <summary>Once it has ended: <c>done</c>, <c>stopped</c>, or <c>failed: </c> and why.</summary>
    public string? Outcome { get; init; }
}

/// <summary>Begins actions over a whole search, and tells how far they are.</summary>
internal sealed class BulkActions(NpgsqlDataSource db, QueueCatalog catalog, AuditWriter audit, ILogger<BulkActions> log)
{
    /// <summary>Over what the search finds of the runs that there are now. Its row of the audit is written in the same statement, so that neither is without the other.</summary>
    /// <exception cref="KeelbackException">KB1711, KB1712, KB1723, KB1724.</exception>
    public async Task<long> BeginAsync(string action, RunSearch search, Actor actor, CancellationToken ct)
    {
        Check(action, search);
        await using var command = db.CreateCommand(
            """
            with bulk as (
                insert into keelback.bulk (app, who, action, filter, at, upto)
                values ($1, $2, $3, $4, keelback.clock(), keelback.first_run_id(keelback.clock())) returning *
            )
            insert into keelback.audit (at, app, who, via, action, target, before, outcome)
            select at, app, who, $5, $6, 'bulk ' || id, filter, 'begun' from bulk
            returning (select id from bulk)
            """);
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.AddWithValue(actor.Who);
        command.Parameters.AddWithValue(action);
        command.Parameters.Add(new() { Value = JsonSerializer.Serialize(search with { Before = null }, OpsJson.Options), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
        command.Parameters.AddWithValue(actor.Via);
        command.Parameters.AddWithValue(Audited(action));
        var id = (long)(await command.ExecuteScalarAsync(ct))!;

        Log.Acted(log, actor.Who, actor.Via, Audited(action), Target(id), "begun");
        return id;
    }

    /// <summary>Ends one before it is through: after the page of runs that is being worked on.</summary>
    /// <exception cref="KeelbackException">KB1721: there is none.</exception>
    public async Task<ActionResult> StopAsync(long id, Actor actor, CancellationToken ct)
    {
        await LookAsync(id, ct);

        return await audit.AuditAsync(actor, "stop", Target(id), null, async () =>
        {
            await using var connection = await db.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var stopped = await BulkEnd.TellAsync(connection, id, "stopped", ct);
            await transaction.CommitAsync(ct);
            return stopped ? new ActionResult(true, "stopped") : new(false, "had ended already");
        }, ct);
    }

    /// <exception cref="KeelbackException">KB1711: there is no such action. KB1712: the search is empty. KB1723, KB1724: no search can be made of its text.</exception>
    public static void Check(string action, RunSearch search)
    {
        if (!RunActions.Bulk.Contains(action)) throw OpsErrors.NoSuchBulk(action, RunActions.Bulk);
        if (SearchWords.Mistake(search.Text) is { } mistake) throw mistake;
        if (search.IsEmpty) throw OpsErrors.BulkOverEverything();
    }

    /// <exception cref="KeelbackException">KB1721: there is none.</exception>
    public async Task<BulkLook> LookAsync(long id, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            "select who, action, filter, at, done, refused, ended_at, keelback.clock(), outcome from keelback.bulk where id = $1 and app = $2");
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        return !await row.ReadAsync(ct) ? throw OpsErrors.NoBulk(id) : new(
            id, row.GetString(0), row.GetString(1), JsonSerializer.Deserialize<RunSearch>(row.GetString(2), OpsJson.Options)!,
            row.GetFieldValue<DateTimeOffset>(3), row.GetInt32(4), row.GetInt32(5), row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6),
            row.GetFieldValue<DateTimeOffset>(7))
        { Outcome = row.IsDBNull(8) ? null : row.GetString(8) };
    }

    /// <summary>How the audit calls it.</summary>
    public static string Target(long id) => $"bulk {Show.Id(id)}";

    /// <summary>How the audit calls its beginning.</summary>
    public static string Audited(string action) => $"{action} all";
}
