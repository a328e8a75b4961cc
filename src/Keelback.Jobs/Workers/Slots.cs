namespace Keelback.Jobs;

/// <summary>How many jobs may run at once now: between the least and the most as the load has it, or as was asked from afar.</summary>
/// <remarks>
/// Grows by doubling what runs when every slot is taken and more waits; shrinks to the most that ran in ten seconds. Below the most there is always
/// one slot beside what runs: a worker without a free one does not look, and would not hear of what waits until a job ends.
/// </remarks>
internal sealed class Slots(JobsOptions options, int mostByPool, TimeProvider clock)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private int _now = options.MinConcurrency ?? options.Concurrency;
    private int? _asked;
    private bool _paused;
    private int _peak;
    private long _since = clock.GetTimestamp();

    /// <summary>Zero while paused.</summary>
    public int Now
    {
        get
        {
            lock (_gate) return _paused ? 0 : _now;
        }
    }

    public bool IsPaused
    {
        get
        {
            lock (_gate) return _paused;
        }
    }

    /// <summary>The most it grows to.</summary>
    public int Most
    {
        get
        {
            lock (_gate) return MostNow;
        }
    }

    private int MostNow => Math.Min(_asked ?? options.Concurrency, mostByPool);

    private int Least => Math.Min(options.MinConcurrency ?? MostNow, MostNow);

    /// <summary>How many may begin beside those that run.</summary>
    public int Free(int running)
    {
        lock (_gate) return _paused ? 0 : Math.Max(0, Math.Max(_now, Math.Min(running + 1, MostNow)) - running);
    }

    /// <summary>What was asked from afar; true when it changes anything.</summary>
    public bool Order(bool paused, int? concurrency)
    {
        lock (_gate)
        {
            if (_paused == paused && _asked == concurrency) return false;

            (_paused, _asked) = (paused, concurrency);
            _now = Math.Clamp(_now, Least, MostNow);
            return true;
        }
    }

    /// <summary>What a look for work found: how many run now, and whether more waits than there were slots.</summary>
    public void Saw(int running, bool more)
    {
        lock (_gate)
        {
            _peak = Math.Max(_peak, running);
            if (more && running >= _now)
            {
                _now = Math.Min(MostNow, running * 2);
            }
            else if (clock.GetElapsedTime(_since) >= s_window)
            {
                _now = Math.Clamp(_peak, Least, Math.Max(Least, _now));
                (_peak, _since) = (running, clock.GetTimestamp());
            }
        }
    }
}
