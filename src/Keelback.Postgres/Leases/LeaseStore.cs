using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Takes, renews and gives up leases of this app.</summary>
internal sealed class LeaseStore(NpgsqlDataSource db, IOptions<PostgresOptions> options)
{
    /// <summary>Takes those that are free or expired and renews those held, in one statement.</summary>
    /// <returns>What the holder has now; a name that is missing belongs to someone else.</returns>
    public async Task<IReadOnlyList<Lease>> AcquireAsync(
        IReadOnlyCollection<string> names, LeaseHolder holder, TimeSpan length, CancellationToken ct)
    {
        // In order of name: two workers that ask for the same leases must not wait for each other.
        await using var command = db.CreateCommand(
            """
            insert into keelback.lease as held (app, name, worker_id, worker_epoch, until)
            select $1, name, $3, $4, keelback.clock() + $5 from unnest($2) name order by name
            on conflict (app, name) do update set
                worker_id = excluded.worker_id,
                worker_epoch = excluded.worker_epoch,
                epoch = held.epoch + ((held.worker_id, held.worker_epoch) is distinct from (excluded.worker_id, excluded.worker_epoch))::int,
                until = excluded.until
            where (held.worker_id, held.worker_epoch) = (excluded.worker_id, excluded.worker_epoch) or held.until <= keelback.clock()
            returning name, epoch, until
            """);

        command.Parameters.AddWithValue(options.Value.App);
        command.Parameters.AddWithValue(names.ToArray());
        command.Parameters.AddWithValue(holder.WorkerId);
        command.Parameters.AddWithValue(holder.WorkerEpoch);
        command.Parameters.AddWithValue(length);

        var leases = new List<Lease>(names.Count);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            leases.Add(new(row.GetString(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2)));

        return leases;
    }

    /// <summary>Makes sure of a lease inside a transaction: while that lasts, nobody can take it over.</summary>
    /// <returns>False when it was lost; the transaction must then be rolled back.</returns>
    public async Task<bool> HoldAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Lease lease, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select true from keelback.lease
            where app = $1 and name = $2 and epoch = $3 and until > keelback.clock()
            for share
            """, connection, transaction);

        command.Parameters.AddWithValue(options.Value.App);
        command.Parameters.AddWithValue(lease.Name);
        command.Parameters.AddWithValue(lease.Epoch);

        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Ends what is still the holder's at once, so that others need not wait for its end.</summary>
    /// <returns>How many it gave up.</returns>
    public async Task<int> ReleaseAsync(IReadOnlyCollection<Lease> leases, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            update keelback.lease held set until = keelback.clock()
            from (select held.app, held.name from keelback.lease held join unnest($2, $3) mine (name, epoch) using (name, epoch)
                  where held.app = $1 and held.until > keelback.clock() order by held.name for update of held) mine
            where held.app = mine.app and held.name = mine.name
            """);

        command.Parameters.AddWithValue(options.Value.App);
        command.Parameters.AddWithValue(leases.Select(lease => lease.Name).ToArray());
        command.Parameters.AddWithValue(leases.Select(lease => lease.Epoch).ToArray());

        return await command.ExecuteNonQueryAsync(ct);
    }
}
