using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keelback.Postgres;

/// <summary>Works, then sleeps for as long as the work said to, or until woken.</summary>
internal abstract class PollingService(TimeProvider clock, ILogger log) : BackgroundService
{
    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <summary>How long to sleep after a pass that threw; the log gets at most one line per this.</summary>
    protected virtual TimeSpan RetryAfter => TimeSpan.FromSeconds(1);

    /// <summary>One pass. Returns how long to sleep; zero means "there was more, go again".</summary>
    protected abstract Task<TimeSpan> PollAsync(CancellationToken stopping);

    /// <summary>Ends the sleep, or the next one when the loop is at work; waking twice is waking once.</summary>
    internal void Wake()
    {
        if (_wake.CurrentCount > 0) return; // the pending release covers this one, and an exception costs more than many jobs

        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another was quicker.
        }
    }

    protected sealed override async Task ExecuteAsync(CancellationToken stopping)
    {
        await Task.Yield(); // the first pass must not hold up the host's start

        if (clock is IMovableClock movable)
        {
            movable.Moved += Wake;
            stopping.Register(() => movable.Moved -= Wake);
        }

        while (!stopping.IsCancellationRequested)
        {
            TimeSpan sleep;
            try
            {
                sleep = await PollAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A database that is away for a minute must not end the loop, nor fill the log.
                LogFailure(e);
                sleep = RetryAfter;
            }

            if (sleep > TimeSpan.Zero) await SleepAsync(sleep, stopping);
        }
    }

    private void LogFailure(Exception e)
    {
        if (!Outage.Is(e)) Log.PollFailed(log, GetType().Name, RetryAfter, e);
        else if (Outage.MayLog(TimeProvider.System, out var unsaid))
            Log.DatabaseAway(log, GetType().Name, e.GetBaseException().Message, RetryAfter, unsaid);
    }

    private async Task SleepAsync(TimeSpan duration, CancellationToken stopping)
    {
        // The alarm wakes like anybody else. A wait that is cancelled instead would throw at the end of each idle sleep.
        await using var alarm = clock.CreateTimer(static loop => ((PollingService)loop!).Wake(), this, duration, Timeout.InfiniteTimeSpan);
        await _wake.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
