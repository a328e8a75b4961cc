using System.Runtime.ExceptionServices;
using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Runs a job inside a transaction on the context of its scope that it works on, whose last statement before COMMIT is the run's own fenced completion.</summary>
/// <remarks>
/// The transaction carries the worker's name, so that the sweep can end it when the worker is frozen: the next attempt must not
/// wait for its locks. A completion that changes no row means that the claim is gone: everything is rolled back.
/// </remarks>
internal sealed class TransactionalAttempt(
    TransactionContexts contexts, CurrentAttempt current, PreparedStatements prepared, Replacement replacement, JobTelemetry telemetry,
    ILogger<TransactionalAttempt> log)
{
    public async Task<Outcome> RunAsync(JobKind kind, JobCall call, RunningAttempt attempt, WorkerIdentity worker)
    {
        var db = contexts.Of(kind, call.Services);
        call.Services.GetRequiredService<JobContext>().Db = db;
        current.CommitsWith(db, call.Services);

        // A retrying strategy refuses transactions that it did not open, so we are inside it; but it never sees an exception,
        // because a second try in a used scope is not a second attempt.
        Outcome? outcome = null;
        ExceptionDispatchInfo? thrown = null;
        await db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            try
            {
                outcome = await InTransactionAsync(db, kind, call, attempt, worker);
            }
            catch (Exception e)
            {
                thrown = ExceptionDispatchInfo.Capture(e);
            }
        });

        thrown?.Throw();
        return outcome!;
    }

    private async Task<Outcome> InTransactionAsync(DbContext db, JobKind kind, JobCall call, RunningAttempt attempt, WorkerIdentity worker)
    {
        var (claim, ct) = (attempt.Claim, call.Cancellation);

        // Disposing rolls back whatever did not get to the commit.
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = db.Database.GetDbConnection() as NpgsqlConnection ?? throw JobErrors.NotPostgres(db.GetType());

        await NameAsync(connection, worker, ct);
        attempt.Session = connection.ProcessID;
        FailPoint.Hit(FailPoint.BeforeEffect);

        var result = await attempt.RunAsync(kind, call);
        await db.SaveChangesAsync(ct); // what the job left unsaved, and jobs that it enqueued

        var plan = attempt.Replacement is { } graph ? Replacement.PlanOf(claim, graph, attempt.Queue) : null;
        Outcome? done;
        try
        {
            done = plan is null ? await CompleteAsync(connection, new(claim, result), ct) : await replacement.WriteAsync(connection, claim, plan, ct);
        }
        catch (PostgresException e) when (prepared.IsRefusal(e))
        {
            // Behind a pooler the session that the statement was prepared on is another one now. Not the job's fault: its attempt is given back.
            Log.PreparedStatementsOff(log);
            await transaction.RollbackAsync(CancellationToken.None);
            return new Outcome.Released(claim);
        }

        if (done is null)
        {
            await transaction.RollbackAsync(CancellationToken.None);
            telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
            Log.WriteFenced(log, claim.Kind, claim.RunId, claim.Attempt);
            return new Outcome.Released(claim); // changes nothing when the claim is gone; frees it when only the run was cancelled
        }

        FailPoint.Hit(FailPoint.BeforeCommit);
        if (claim.Followed) FailPoint.Hit(FailPoint.ChordLast);
        await transaction.CommitAsync(CancellationToken.None);
        FailPoint.Hit(FailPoint.AfterCommit);
        if (done is Outcome.Replaced replaced) replacement.Committed(plan!, replaced);

        return done;
    }

    private static async Task NameAsync(NpgsqlConnection connection, WorkerIdentity worker, CancellationToken ct)
    {
        // Local to the transaction: behind a pooler the server session is another one afterwards.
        await using var command = new NpgsqlCommand("select set_config('application_name', $1, true)", connection);
        command.Parameters.AddWithValue(worker.ApplicationName);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<Outcome.Settled?> CompleteAsync(NpgsqlConnection connection, Outcome.Succeeded done, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(CompleteStatement.Of([done], done.Claim.Followed));
        if (ResultStatement.Of([done]) is { } forgotten) batch.BatchCommands.Add(forgotten);
        if (prepared.Enabled) await batch.PrepareAsync(ct);

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        var ended = await Statement.IdsAsync(row, ct);
        return ended.Remove(done.Claim.RunId) ? new(done.Claim, ended) : null;
    }
}
