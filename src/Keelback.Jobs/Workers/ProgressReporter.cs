using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Tells how far an attempt is: at most once an interval, the latest, and nothing of an attempt that has lost its run.</summary>
internal sealed class ProgressReporter(
    RunningJob job, JobConnections connections, RunWaiters waiters, JobTelemetry telemetry, TimeProvider clock, TimeSpan interval, ILogger log)
    : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private byte[]? _untold;
    private long? _told;
    private ITimer? _timer;

    /// <summary>Done when it is written, or kept to be written with the interval's end.</summary>
    public async Task ReportAsync(byte[] data, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            _untold = data;
            var since = _told is { } told ? clock.GetElapsedTime(told) : interval;

            // On a connection that the job itself uses, nothing may be written behind its back.
            if (since >= interval || connections.ArePinned) await TellAsync(ct);
            else _timer ??= clock.CreateTimer(static reporter => _ = ((ProgressReporter)reporter!).TellLaterAsync(), this, interval - since, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Writes what is still untold: the last word of an attempt is not lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_told is null && _untold is null) return; // never used, as in most attempts
        await TellLaterAsync();
    }

    private async Task TellLaterAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await TellAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            Log.ProgressLost(log, job.Claim.Kind, job.Claim.RunId, e); // nobody awaits it; the next word, or the result, will tell
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task TellAsync(CancellationToken ct)
    {
        if (_timer is not null) await _timer.DisposeAsync();
        _timer = null;
        if (Interlocked.Exchange(ref _untold, null) is not { } data) return;

        _told = clock.GetTimestamp();
        await using var connection = await connections.OpenAsync(ct);
        if (await ProgressStatement.RunAsync(connection.Connection, job.Claim, data, ct))
        {
            waiters.Changed(job.Claim.RunId);
            return;
        }

        telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", job.Claim.Kind));
        Log.WriteFenced(log, job.Claim.Kind, job.Claim.RunId, job.Claim.Attempt);
        job.Stop(StopReason.Lost);
    }
}
