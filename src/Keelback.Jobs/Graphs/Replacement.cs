using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Puts a graph in a running job's place: the attempt's claim goes, the graph's rows come, and the run waits for the end of its last job, which will be its own.</summary>
/// <remarks>
/// All in one transaction, fenced by the claim: an attempt that lost it writes nothing. The run keeps its id and its followers. A job that
/// already waits for the run must not come before its end; two jobs that replace themselves at once could close such a circle together,
/// so those that name existing runs take turns, each from before it locks a row: the run that one names may be the other's own. A unique key
/// that the run has goes on to the graph; one that another run has makes this one end as that does, or cancels it, or fails the attempt, as its policy says.
/// </remarks>
internal sealed class Replacement(
    EnqueueWriter writer, QueueCatalog queues, JobConnections connections, JobWakes wakes, JobNews news, JobTelemetry telemetry,
    IOptions<JobsOptions> options, TimeProvider clock, ILogger<Replacement> log)
{
    private static readonly Backoff s_backoff = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), RetryBackoff.Exponential, Jitter: true);

    /// <summary>In a transaction of its own, and again while the database is away: the method has done its part, and must not do it again because this could not be written.</summary>
    /// <remarks>A try whose answer was lost may have been committed. The next one finds the claim gone then, and the graph in the run's place.</remarks>
    public async Task<Outcome> AloneAsync(Claim claim, Job job, string queue, CancellationToken ct)
    {
        var plan = PlanOf(claim, job, queue);
        var began = clock.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            try
            {
                var replaced = await Undisturbed.RunAsync(() => OnceAsync(claim, plan, mayBeWritten: tries > 1, ct));
                if (replaced is null) return Fenced(claim);

                Committed(plan, replaced);
                return replaced;
            }
            catch (Exception e) when (!connections.ArePinned && Outage.Is(e) && !ct.IsCancellationRequested && clock.GetElapsedTime(began) < options.Value.EnqueuePatience)
            {
                Log.ReplacementTriedAgain(log, claim.Kind, claim.RunId, e.GetBaseException().Message);
                await Task.Delay(s_backoff.Next(tries), clock, ct);
            }
        }
    }

    private async Task<Outcome.Replaced?> OnceAsync(Claim claim, EnqueuePlan plan, bool mayBeWritten, CancellationToken ct)
    {
        await writer.PrepareAsync(plan, ct); // before it has a connection: this may take one
        await using var connection = await connections.OpenAsync(ct);
        var replaced = await connection.AtomicallyAsync(
            async c =>
            {
                var written = await WriteAsync(c, claim, plan, ct) ?? (mayBeWritten ? await WrittenAsync(c, claim, ct) : null);
                FailPoint.Hit(FailPoint.BeforeCommit);
                return written;
            }, ct);
        FailPoint.Hit(FailPoint.AfterCommit);
        return replaced;
    }

    /// <summary>After the commit.</summary>
    public void Committed(EnqueuePlan plan, Outcome.Replaced replaced)
    {
        news.Replaced(plan, replaced); // first: a worker that is woken may end the graph before this attempt is told of as ended
        wakes.Workers();
    }

    /// <exception cref="KeelbackException">KB1208, KB1240 to KB1242, KB1244.</exception>
    public static EnqueuePlan PlanOf(Claim claim, Job job, string queue)
    {
        if (job.Parts.Run is not null) // to end as another run does, there must be one of ours that waits for it
            job = new Job(new JobParts(JobKind.Forward, default, [new(JobBinding.Members, job)], new() { Queue = queue }));
        if (job.Options?.Id is not null) throw JobErrors.BadOptions(job.Kind.Name, "a job that takes another one's place has no id of its own.");

        var plan = EnqueuePlan.Of([job]);
        plan.Within = claim.RootId ?? claim.RunId;
        plan.Replaces = claim.RunId;
        plan.ReserveIds = true;
        plan.Roots[0].Followed = plan.Roots[0].Settles = true;
        return plan;
    }

    /// <summary>In the transaction that is open. Null: the claim is gone, and nothing may be committed.</summary>
    public async Task<Outcome.Replaced?> WriteAsync(NpgsqlConnection connection, Claim claim, EnqueuePlan plan, CancellationToken ct)
    {
        await writer.PrepareAsync(plan, ct); // a filter may have a say in the key
        var root = plan.Roots[0];
        if (plan.Existing.Count > 0 || root.Unique is { OnConflict: UniqueConflict.Existing }) await TakeTurnAsync(connection, ct);
        if (root.UniqueKey is { } key) await LockKeyAsync(connection, key, ct);
        if (!await GiveUpAsync(connection, claim, ct)) return null;

        var last = await WriteAsync(plan);
        if (root.Answer is { } holder) last = await WriteAsync(PlanOf(claim, Job.Of(holder), root.Queue));

        await using var command = new NpgsqlCommand(
            """
            with r as (
                update keelback.run set replaced_by = $2 where id = $1 and state = 0 returning id, queue, priority, tenant
            ), e as (
                insert into keelback.edge (up, down, rule) select $2, id, 3 from r
            )
            insert into keelback.wait (run_id, pending, queue, priority, tenant) select id, 1, queue, priority, tenant from r
            """, connection);
        command.Parameters.AddWithValue(claim.RunId);
        command.Parameters.AddWithValue(last);
        if (await command.ExecuteNonQueryAsync(ct) == 0)
            throw JobErrors.BadOptions(root.Kind.Name, $"the run that has its unique key '{root.UniqueKey}' is one that this job is part of, and would be cancelled with it.");

        // What it waits for may have ended before, and it with that.
        await using var settle = new NpgsqlCommand("select unnest(keelback.settle(array[$1::bigint]))", connection);
        settle.Parameters.AddWithValue(last);
        await using var ended = await settle.ExecuteReaderAsync(ct);
        return new(claim, last, await Statement.IdsAsync(ended, ct));

        async Task<long> WriteAsync(EnqueuePlan graph)
        {
            if (graph.Existing.Count > 0) await CheckCircleAsync(connection, claim, [.. graph.Existing.Select(run => run.Id)], ct);
            return (await writer.WriteAsync(graph, connection, ct))[0];
        }
    }

    // By this attempt: the next one, and one by hand, have another number.
    private static async Task<Outcome.Replaced?> WrittenAsync(NpgsqlConnection connection, Claim claim, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select replaced_by from keelback.run where id = $1 and attempt = $2 and replaced_by is not null", connection);
        command.Parameters.AddWithValue(claim.RunId);
        command.Parameters.AddWithValue(claim.Attempt);
        return await command.ExecuteScalarAsync(ct) is long by ? new(claim, by, []) : null;
    }

    private Outcome.Released Fenced(Claim claim)
    {
        telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
        return new(claim);
    }

    private static async Task TakeTurnAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('keelback.replace', 0))", connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    // Before the claim, as who takes the key from the run and cancels it has them.
    private async Task LockKeyAsync(NpgsqlConnection connection, string key, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select from keelback.unique_key where app = $1 and key = $2 for update", connection);
        command.Parameters.AddWithValue(queues.App);
        command.Parameters.AddWithValue(key);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<bool> GiveUpAsync(NpgsqlConnection connection, Claim claim, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            with d as (
                delete from keelback.claim where run_id = $1 and token = $2 returning run_id, attempt, at
            )
            update keelback.run r set attempt = d.attempt, started_at = d.at, root = coalesce(r.root, r.id)
            from d where r.id = d.run_id and r.state = 0
            """, connection);
        command.Parameters.AddWithValue(claim.RunId);
        command.Parameters.AddWithValue(claim.Token);
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    private static async Task CheckCircleAsync(NpgsqlConnection connection, Claim claim, long[] existing, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            with recursive below (id) as (
                select $1
                union
                select e.down from below b cross join lateral (select down from keelback.edge where up = b.id) e
            )
            select id from below where id = any($2) limit 1
            """, connection);
        command.Parameters.AddWithValue(claim.RunId);
        command.Parameters.AddWithValue(existing);
        if (await command.ExecuteScalarAsync(ct) is long waiting) throw JobErrors.WaitsForItself(claim.Kind, claim.RunId, waiting);
    }
}

/// <summary>Ends a job's method at its <see cref="JobContext.Replace{T}"/>. Whether it arrives does not matter: the replacement stands.</summary>
internal sealed class JobReplacedException() : Exception("The job has put a graph in its place, and ends here. Let this exception pass.");
