using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Writes what runs logged, some hundred lines a statement, beside the hot path.</summary>
internal sealed class RunLogWriter(NpgsqlDataSource db, RunLogSink sink, TimeProvider clock, ILogger<RunLogWriter> log) : PollingService(clock, log)
{
    private const int BatchSize = 1000;
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (NpgsqlException e)
        {
            Log.RunLogLost(log, 0, e);
        }
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await FlushAsync(stopping);
        if (sink.TakeDropped() is > 0 and var dropped) Log.RunLogLost(log, dropped, null);
        return s_interval;
    }

    /// <summary>Writes all that is there.</summary>
    internal async Task FlushAsync(CancellationToken ct)
    {
        while (!sink.IsEmpty)
        {
            var lines = sink.Take(BatchSize);
            try
            {
                await WriteAsync(lines, ct);
            }
            catch (PostgresException e) when (!Outage.Is(e))
            {
                Log.RunLogLost(log, lines.Count, e); // the same again would fail the same way
            }
        }
    }

    private async Task WriteAsync(IReadOnlyList<PendingLine> lines, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            insert into keelback.log (run_id, attempt, n, at, level, category, message)
            select * from unnest($1, $2, $3, $4, $5, $6, $7)
            on conflict do nothing
            """);
        command.Parameters.AddWithValue(lines.Select(l => l.RunId).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => l.Attempt).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => l.N).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => l.At).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => l.Level).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => StorableText.Of(l.Category)).ToArray());
        command.Parameters.AddWithValue(lines.Select(l => StorableText.Of(l.Message)).ToArray());
        await command.ExecuteNonQueryAsync(ct);
    }
}
