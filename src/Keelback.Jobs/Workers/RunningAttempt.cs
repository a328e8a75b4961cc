using Npgsql;

namespace Keelback.Jobs;

/// <summary>What a <see cref="JobContext"/> knows, and how it asks for the rest.</summary>
internal sealed class RunningAttempt(RunningJob job, string queue, DateTimeOffset? deadline, ProgressReporter progress, JobConnections connections,
    JobFilters filters, JobSecrets secrets, string app, int mostBytes)
    : IAsyncDisposable
{
    public Claim Claim => job.Claim;

    /// <summary>What takes the run's place; null: it ends by itself.</summary>
    public Job? Replacement { get; set; }

    public string Queue => queue;

    public DateTimeOffset? Deadline => deadline;

    /// <inheritdoc cref="RunningJob.Session"/>
    public int Session
    {
        set => job.Session = value;
    }

    public async Task<JobRun?> ReadAsync(CancellationToken ct)
    {
        await using var connection = await connections.OpenAsync(ct);
        return await RunReader.FindAsync(connection.Connection, Claim.RunId, app, secrets, ct);
    }

    public async Task<IReadOnlyList<JobAttempt>> EarlierAsync(CancellationToken ct)
    {
        if (Claim.Attempt == 1) return [];
        await using var connection = await connections.OpenAsync(ct);
        return await RunReader.AttemptsAsync(connection.Connection, Claim.RunId, app, ct);
    }

    /// <summary>Calls the method; answers its result, which the completion drops if it is not kept and no other job has come to take it.</summary>
    /// <exception cref="KeelbackException">KB1212, KB1213.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync(JobKind kind, JobCall call)
    {
        var result = await CallAsync(kind, call);
        await progress.DisposeAsync(); // before the run's end, after which nothing is written
        if (Replacement is not null) return default;
        if (kind.DeclaredBy == typeof(Job)) return result; // of results that have passed here

        try
        {
            result = secrets.Seal(kind.Name, result);
            PayloadRules.CheckResult(kind.Name, result.Span, mostBytes);
            return result;
        }
        catch (KeelbackException) when (Claim.ResultKept == TimeSpan.Zero)
        {
            if (await IsFollowedAsync(call.Cancellation)) throw;
            return "null"u8.ToArray(); // one that is dropped need not be fit to be stored, but there was one
        }
    }

    /// <summary>Writes what the job says about itself.</summary>
    /// <exception cref="KeelbackException">KB1272, KB1277.</exception>
    public Task ReportAsync(ReadOnlyMemory<byte> json, CancellationToken ct)
    {
        json = secrets.Seal(Claim.Kind, json);
        PayloadRules.CheckProgress(Claim.Kind, json.Span);
        return progress.ReportAsync(json.ToArray(), ct);
    }

    private async Task<bool> IsFollowedAsync(CancellationToken ct)
    {
        await using var connection = await connections.OpenAsync(ct);
        await using var command = new NpgsqlCommand("select followed from keelback.run where id = $1", connection.Connection);
        command.Parameters.AddWithValue(Claim.RunId);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private async ValueTask<ReadOnlyMemory<byte>> CallAsync(JobKind kind, JobCall call)
    {
        try
        {
            return await filters.RunAsync(kind, call);
        }
        catch (JobReplacedException)
        {
            return default;
        }
    }

    public ValueTask DisposeAsync() => progress.DisposeAsync();
}
