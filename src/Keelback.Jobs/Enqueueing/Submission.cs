using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>The ways in which a plan gets into the database: by itself, in a caller's transaction, or with a context's next SaveChanges.</summary>
internal sealed class Submission(EnqueueWriter writer, EnqueueRetry retry, JobNews news, JobWakes wakes, CurrentAttempt current)
{
    private EnqueueWriter Writer => writer;

    /// <summary>In a transaction of its own, again while the database is away.</summary>
    /// <exception cref="KeelbackException">KB1270, KB1271.</exception>
    public async Task<long[]> AloneAsync(EnqueuePlan plan, CancellationToken ct)
    {
        if (plan.Runs.Count == 0) return [];

        var ids = await retry.WriteAsync(plan, ct);
        Committed(plan);
        return ids;
    }

    /// <summary>In the transaction that is open on the context.</summary>
    /// <exception cref="KeelbackException">KB1210: none is open. KB1216: not PostgreSQL. KB1299: inside a job that commits with another.</exception>
    public async Task<long[]> JoinAsync(DbContext db, EnqueuePlan plan, CancellationToken ct)
    {
        current.RefuseOutside(db);
        if (plan.Runs.Count == 0) return [];

        var connection = db.Database.GetDbConnection() as NpgsqlConnection ?? throw JobErrors.NotPostgres(db.GetType());
        if (db.Database.CurrentTransaction is null) throw JobErrors.NoTransaction();

        var ids = await writer.WriteAsync(plan, connection, ct);

        // Without a unit of work nobody tells us of the commit: polling finds the rows, they are counted as if it came, and no event tells of them.
        if (UnitOf(db) is { } unit) AtCommit(unit, plan);
        else news.Count(plan);
        return ids;
    }

    /// <summary>With the next SaveChanges, when the keys of new rows are known.</summary>
    /// <exception cref="KeelbackException">KB1101: the context is configured without Keelback. KB1299: inside a job that commits with another.</exception>
    public void AtSave(DbContext db, Func<Job> call, EnqueueOptions? options)
    {
        current.RefuseOutside(db);
        UnitOfWork.Of(db).BeforeCommit(new PendingEnqueue(this, call, options));
    }

    private static UnitOfWork? UnitOf(DbContext db) =>
        (UnitOfWork?)((IInfrastructure<IServiceProvider>)db).Instance.GetService(typeof(UnitOfWork));

    private void AtCommit(UnitOfWork unit, EnqueuePlan plan) => unit.OnCommit(_ =>
    {
        Committed(plan);
        return Task.CompletedTask;
    });

    private void Committed(EnqueuePlan plan)
    {
        if (plan.IsCarried) wakes.WorkersElsewhere();
        else wakes.Workers();
        if (plan.Runs.Any(run => run.ExpiresAfter is not null || run.Options is { Delay: not null } or { At: not null } or { ExpiresAt: not null })) wakes.Timers();
        news.Enqueued(plan);
    }

    /// <summary>One <c>db.Enqueue</c>: the call is evaluated after the rows are written.</summary>
    private sealed class PendingEnqueue(Submission submission, Func<Job> call, EnqueueOptions? options) : IPendingWork
    {
        public void Run(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction)
        {
            var plan = EnqueuePlan.Of([call()], options);
            submission.Writer.Write(plan, connection);
            submission.AtCommit(UnitOf(db)!, plan);
        }

        public async Task RunAsync(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
        {
            var plan = EnqueuePlan.Of([call()], options);
            await submission.Writer.WriteAsync(plan, connection, ct);
            submission.AtCommit(UnitOf(db)!, plan);
        }
    }
}
