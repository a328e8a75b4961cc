using Npgsql;

namespace Keelback.Jobs;

/// <summary>Writes a plan inside a transaction that is open already, in both colours: a synchronous SaveChanges must not block on a task.</summary>
internal sealed class EnqueueWriter(
    QueueCatalog queues, LimitCatalog limits, EnqueueGate gate, CurrentAttempt current, PreparedStatements prepared, CallCarrier carrier, JobTelemetry telemetry)
{
    // Large enough that a round trip costs nothing beside the rows, small enough to keep the server's memory flat.
    private const int RowsAtOnce = 5000;
    private const int BytesAtOnce = 16 * 1024 * 1024;

    /// <summary>Whether the plan is one statement, which needs no transaction around it.</summary>
    public static bool IsOneStatement(EnqueuePlan plan) =>
        !plan.ReserveIds && (plan.Runs.Count == 1 || !Pages(plan.Runs).Skip(1).Any());

    /// <summary>What one statement takes: 5,000 rows, and 16 MB of arguments, or one run's that are larger.</summary>
    internal static IEnumerable<PlannedRun[]> Pages(IReadOnlyList<PlannedRun> runs)
    {
        for (int from = 0, to; from < runs.Count; from = to)
        {
            long bytes = runs[from].Payload.Length;
            for (to = from + 1; to < runs.Count && to < from + RowsAtOnce; to++)
                if ((bytes += runs[to].Payload.Length) > BytesAtOnce) break;

            var page = new PlannedRun[to - from];
            for (var i = 0; i < page.Length; i++) page[i] = runs[from + i];
            yield return page;
        }
    }

    /// <summary>Passes the gate, and gives the queues and limits numbers that have none yet.</summary>
    public ValueTask PrepareAsync(EnqueuePlan plan, CancellationToken ct)
    {
        gate.Pass(plan);
        return EnsureAsync(plan, async: true, ct);
    }

    /// <summary>The roots' run ids, in order.</summary>
    public long[] Write(EnqueuePlan plan, NpgsqlConnection connection) =>
        WriteAsync(plan, connection, async: false, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc cref="Write"/>
    public Task<long[]> WriteAsync(EnqueuePlan plan, NpgsqlConnection connection, CancellationToken ct) =>
        WriteAsync(plan, connection, async: true, ct);

    /// <summary>A plan of one statement outside of any transaction: prepared, since planning is most of what a single call costs.</summary>
    public async Task<long[]> WriteAloneAsync(EnqueuePlan plan, NpgsqlConnection connection, CancellationToken ct)
    {
        try
        {
            return await WriteAsync(plan, connection, async: true, ct, isAlone: true);
        }
        catch (PostgresException e) when (prepared.IsRefusal(e))
        {
            return await WriteAsync(plan, connection, async: true, ct);
        }
    }

    // With async = false every await below is on something that is complete.
    private async Task<long[]> WriteAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, CancellationToken ct, bool isAlone = false)
    {
        gate.Pass(plan);
        (plan.IsWritten, plan.Ended) = (false, []); // whatever an earlier try had come to
        using var activity = telemetry.Enqueueing(plan);
        await EnsureAsync(plan, async, ct).ConfigureAwait(false);
        try
        {
            var existing = plan.ReserveIds
                ? await GraphAsync(plan, connection, async, ct).ConfigureAwait(false)
                : await FlatAsync(plan, connection, async, isAlone, ct).ConfigureAwait(false);

            if (existing is { } run) return [run];
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CheckViolation && e.ConstraintName is null)
        {
            throw JobErrors.NoPartition(e);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UntranslatableCharacter)
        {
            throw JobErrors.PayloadHasNul(plan.Roots[0].Kind.Name);
        }

        activity?.SetTag("messaging.message.id", plan.Roots[0].Id);
        plan.IsWritten = true;
        return [.. plan.Roots.Select(root => root.Answer ?? root.Id)];
    }

    private async ValueTask EnsureAsync(EnqueuePlan plan, bool async, CancellationToken ct)
    {
        await queues.EnsureAsync(plan.Runs.Select(run => run.Queue), async, ct).ConfigureAwait(false);
        if (plan.Runs.Any(run => run.Tenant is not null))
            await queues.EnsureTenantsAsync(plan.Runs.Where(run => run.Tenant is not null).Select(run => run.Queue), async, ct).ConfigureAwait(false);
        if (plan.Runs.Any(run => run.Limits.Count > 0))
            await limits.EnsureAsync(plan.Runs.SelectMany(run => run.Limits).Select(LimitCatalog.NameOf), async, ct).ConfigureAwait(false);
    }

    private async ValueTask<long?> FlatAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, bool isAlone, CancellationToken ct)
    {
        foreach (var page in Pages(plan.Runs))
        {
            // Many rows would make the worker wait for theirs.
            var carried = isAlone && page.Length == 1 ? await carrier.SendAsync(() => EnqueueStatements.Flat(page, queues, current.Run), ct).ConfigureAwait(false) : null;
            plan.IsCarried = carried is not null;
            var ids = carried ?? await IdsAsync(EnqueueStatements.Flat(page, queues, current.Run), connection, async, ct, isAlone && prepared.Enabled).ConfigureAwait(false);
            for (var i = 0; i < page.Length; i++) page[i].Id = ids[i];
        }

        return null;
    }

    private async ValueTask<long?> GraphAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, CancellationToken ct)
    {
        if (plan.MayBeWritten && await IsWrittenAsync(plan, connection, async, ct).ConfigureAwait(false)) return null;
        if (plan.Runs[0].Id == 0)
        {
            var ids = await IdsAsync(EnqueueStatements.Reserve(plan.Runs.Count), connection, async, ct).ConfigureAwait(false);
            for (var i = 0; i < ids.Count; i++) plan.Runs[i].Id = ids[i];
        }

        var root = plan.Roots[0];
        var id = plan.Roots.Count == 1 ? root.Options?.Id : null;
        if (id is { } own)
        {
            var taken = (await IdsAsync(EnqueueStatements.Take(queues.App, own, root.Id), connection, async, ct).ConfigureAwait(false))[0];
            if (taken != root.Id)
            {
                await CheckKindAsync(root, taken, connection, async, ct).ConfigureAwait(false);
                root.Twin = taken;
                return taken;
            }
        }

        await TakeKeysAsync(plan, connection, async, ct).ConfigureAwait(false);
        var refused = plan.Roots.FirstOrDefault(r => r.Answer is not null && r.Unique!.OnConflict == UniqueConflict.Reject);
        if (id is { } unused && root.Answer is not null) await IdsAsync(EnqueueStatements.GiveBack(queues.App, unused), connection, async, ct).ConfigureAwait(false);
        if (refused is not null) throw JobErrors.NotUnique(refused.Kind.Name, refused.UniqueKey!, refused.Answer!.Value);
        if (plan.Roots is [{ Answer: { } existing }]) return existing;

        // First, so that whatever ends meanwhile waits for us, and then sees the edges.
        var joined = plan.Existing.Count == 0 ? [] : await JoinAsync(plan, connection, async, ct).ConfigureAwait(false);
        foreach (var page in Pages([.. plan.Runs.Where(run => run.Answer is null)]))
            await IdsAsync(EnqueueStatements.Graph(page, queues, current.Run, plan.Within), connection, async, ct).ConfigureAwait(false);

        long[] ended = [.. joined.Where(run => run < 0).Select(run => -run)];
        if (ended.Length > 0) plan.Ended = await IdsAsync(EnqueueStatements.Settle(ended), connection, async, ct).ConfigureAwait(false);
        return null;
    }

    private static async ValueTask CheckKindAsync(PlannedRun root, long taken, NpgsqlConnection connection, bool async, CancellationToken ct)
    {
        using var command = EnqueueStatements.KindOf(taken);
        command.Connection = connection;
        var kind = async ? await command.ExecuteScalarAsync(ct).ConfigureAwait(false) : command.ExecuteScalar();
        if (kind is string other && other != root.Kind.Name) throw JobErrors.IdOfAnotherKind(root.Kind.Name, root.Options!.Id!.Value, taken, other);
    }

    // In the order of the keys, so that two who want the same ones cannot wait for each other.
    private async ValueTask TakeKeysAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, CancellationToken ct)
    {
        foreach (var same in plan.Roots.Where(root => root.UniqueKey is not null).GroupBy(root => root.UniqueKey!, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var first = same.First();
            if (plan.Replaces is { } replaced) await IdsAsync(EnqueueStatements.HandOver(queues.App, first, replaced), connection, async, ct).ConfigureAwait(false);
            var answer = await IdsAsync(EnqueueStatements.TakeKey(queues.App, first), connection, async, ct).ConfigureAwait(false);
            var taken = answer[0];
            first.KeyWasOf = answer.Count > 1 ? answer[1] : null;
            foreach (var root in same)
            {
                root.Answer = taken == root.Id ? null : taken;
                root.HeldKey = root.Answer is null ? root.UniqueKey : null;
            }
        }
    }

    private static async ValueTask<bool> IsWrittenAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, CancellationToken ct) =>
        plan.Runs.FirstOrDefault(run => run.Answer is null) is { Id: not 0 } written
        && (await IdsAsync(EnqueueStatements.Find(written.Id), connection, async, ct).ConfigureAwait(false)).Count > 0;

    private async ValueTask<List<long>> JoinAsync(EnqueuePlan plan, NpgsqlConnection connection, bool async, CancellationToken ct)
    {
        var asked = plan.Existing.Select(run => run.Id).Distinct().ToList();
        if (asked.Exists(run => RetentionLock.Concerns(run, plan.Runs[0].Id)))
        {
            using var held = RetentionLock.ToNeed(queues.App, connection);
            if (async) await held.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            else held.ExecuteNonQuery();
        }

        var joined = await IdsAsync(EnqueueStatements.Join(asked, queues.App), connection, async, ct).ConfigureAwait(false);
        if (joined.Count != asked.Count) throw JobErrors.NoSuchRun(asked.Except(joined.Select(Math.Abs)).First());

        var taken = plan.Existing.Where(run => run.IsTaken && joined.Contains(-run.Id)).Select(run => run.Id).ToArray();
        if (taken.Length > 0) await CheckResultsAsync(taken, connection, async, ct).ConfigureAwait(false);
        return joined;
    }

    private static async ValueTask CheckResultsAsync(long[] taken, NpgsqlConnection connection, bool async, CancellationToken ct)
    {
        using var command = EnqueueStatements.Dropped(taken);
        command.Connection = connection;
        using var row = async ? await command.ExecuteReaderAsync(ct).ConfigureAwait(false) : command.ExecuteReader();
        if (async ? await row.ReadAsync(ct).ConfigureAwait(false) : row.Read())
            throw JobErrors.ResultNotThere(row.GetInt64(0), row.GetString(1), TimeSpan.FromMilliseconds(row.GetInt64(2)));
    }

    private static async ValueTask<List<long>> IdsAsync(
        NpgsqlCommand statement, NpgsqlConnection connection, bool async, CancellationToken ct, bool prepare = false)
    {
        using var command = statement;
        command.Connection = connection;
        if (prepare) await command.PrepareAsync(ct).ConfigureAwait(false); // once for each session of the pool

        var ids = new List<long>();
        using var row = async ? await command.ExecuteReaderAsync(ct).ConfigureAwait(false) : command.ExecuteReader();
        while (async ? await row.ReadAsync(ct).ConfigureAwait(false) : row.Read()) ids.Add(row.GetInt64(0));

        return ids;
    }
}
