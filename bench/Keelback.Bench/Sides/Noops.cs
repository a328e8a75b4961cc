using Keelback.Jobs;

namespace Keelback.Bench.Sides;

/// <summary>A job that only counts, so that what is measured is the engine.</summary>
internal sealed partial class Noops(Countdown countdown)
{
    [Job]
    public Task Run(long number, CancellationToken ct)
    {
        countdown.Signal(number);
        return Task.CompletedTask;
    }
}

/// <summary>Tells when the last of a round's jobs has run.</summary>
internal sealed class Countdown
{
    private TaskCompletionSource _done = new();
    private int _left;
    private long _sum;

    public Task Done => _done.Task;

    public long Sum => Interlocked.Read(ref _sum);

    public void Reset(int jobs)
    {
        _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        (_left, _sum) = (jobs, 0);
    }

    public void Signal(long number)
    {
        Interlocked.Add(ref _sum, number);
        if (Interlocked.Decrement(ref _left) == 0) _done.SetResult();
    }
}
