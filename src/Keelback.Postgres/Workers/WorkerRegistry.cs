using Npgsql;

namespace Keelback.Postgres;

/// <summary>The rows of <c>keelback.worker</c>: a worker is alive as long as its row is there.</summary>
/// <remarks>The heartbeat's half is synchronous: it runs on a thread of its own, which a starved thread pool cannot hold up.</remarks>
internal sealed class WorkerRegistry(NpgsqlDataSource db)
{
    public static WorkerIdentity Register(NpgsqlConnection connection, WorkerDescription worker, TimeSpan lease)
    {
        using var command = new NpgsqlCommand(
            """
            insert into keelback.worker (app, name, queues, started_at, lease, lease_until, info)
            values ($1, $2, $3, keelback.clock(), $4, keelback.clock() + $4, $5::jsonb)
            returning id, epoch
            """, connection);
        command.Parameters.AddWithValue(worker.App);
        command.Parameters.AddWithValue(worker.Name);
        command.Parameters.AddWithValue(worker.Queues);
        command.Parameters.AddWithValue(lease);
        command.Parameters.AddWithValue(worker.Info);

        using var row = command.ExecuteReader();
        row.Read();
        return new(row.GetInt32(0), row.GetInt64(1));
    }

    /// <summary>False: the row is gone, so the lease was lost and others may run what this worker held.</summary>
    public static bool Renew(NpgsqlConnection connection, WorkerIdentity worker, TimeSpan lease)
    {
        using var command = new NpgsqlCommand(
            "update keelback.worker set lease_until = keelback.clock() + $3 where id = $1 and epoch = $2", connection);
        command.Parameters.AddWithValue(worker.Id);
        command.Parameters.AddWithValue(worker.Epoch);
        command.Parameters.AddWithValue(lease);
        return command.ExecuteNonQuery() == 1;
    }

    /// <summary>Comes back after a lost lease: the same id, the next epoch.</summary>
    public static WorkerIdentity Return(
        NpgsqlConnection connection, WorkerIdentity worker, WorkerDescription description, TimeSpan lease)
    {
        using var command = new NpgsqlCommand(
            """
            insert into keelback.worker (id, epoch, app, name, queues, started_at, lease, lease_until, info)
            values ($1, $2 + 1, $3, $4, $5, keelback.clock(), $6, keelback.clock() + $6, $7::jsonb)
            on conflict (id) do update set epoch = keelback.worker.epoch + 1, lease = excluded.lease, lease_until = excluded.lease_until
            returning epoch
            """, connection);
        command.Parameters.AddWithValue(worker.Id);
        command.Parameters.AddWithValue(worker.Epoch);
        command.Parameters.AddWithValue(description.App);
        command.Parameters.AddWithValue(description.Name);
        command.Parameters.AddWithValue(description.Queues);
        command.Parameters.AddWithValue(lease);
        command.Parameters.AddWithValue(description.Info);
        return worker with { Epoch = (long)command.ExecuteScalar()! };
    }

    /// <summary>Takes a worker off the list; what it still holds is handed back by the next sweep.</summary>
    public static void Leave(NpgsqlConnection connection, WorkerIdentity worker)
    {
        using var command = new NpgsqlCommand("delete from keelback.worker where id = $1 and epoch = $2", connection);
        command.Parameters.AddWithValue(worker.Id);
        command.Parameters.AddWithValue(worker.Epoch);
        command.ExecuteNonQuery();
    }

    /// <summary>Deletes the rows whose lease has ended, of any app, and says whose they were.</summary>
    /// <remarks>After the clock went back, who is alive has a whole lease to renew in; who had died before is not waited for until the old time comes again.</remarks>
    public async Task<IReadOnlyList<WorkerIdentity>> ExpireAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            with ahead as (
                update keelback.worker set lease_until = keelback.clock() + lease where lease_until > keelback.clock() + lease
            )
            delete from keelback.worker
            where id = any(array(
                select id from keelback.worker where lease_until <= keelback.clock() for update skip locked))
            returning id, epoch
            """);

        var expired = new List<WorkerIdentity>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) expired.Add(new(row.GetInt32(0), row.GetInt64(1)));

        return expired;
    }

    /// <summary>Ends the server sessions whose transaction belongs to a worker without a row, and waits until they are gone.</summary>
    /// <remarks>Without this a frozen process would keep its row locks, and the next attempt would wait for it.</remarks>
    public async Task<int> TerminateAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            select count(*)::int from (
                select pg_terminate_backend(a.pid, 1000)
                from pg_stat_activity a
                where a.datname = current_database() and a.application_name like 'keelback:%:%'
                  and pg_has_role(current_user, a.usesysid, 'usage') -- another's session may not be ended, and must not keep ours from it
                  and not exists (
                    select from keelback.worker w
                    where a.application_name = 'keelback:' || w.id || ':' || w.epoch)) ended
            """);
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }
}
