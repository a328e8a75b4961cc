using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Ends runs by batches, and leaves those alone that another transaction has locked.</summary>
/// <remarks>
/// A batch that is held up does nothing. Its runs are ended one by one then; one that is held up alone is set apart, where it is in no batch's way.
/// What is set apart is tried again by itself, one each second, and one after the other once they get through, as <see cref="Untold"/> has it for outcomes.
/// </remarks>
internal sealed class PatientEnds(TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1);

    private readonly Queue<long> _apart = [];
    private bool _isOneByOne;
    private long _heldUpAt;

    /// <summary>The runs that are set apart.</summary>
    public long[] Apart => [.. _apart];

    /// <summary>Until it should be run again, whatever else is due; null: nothing was held up.</summary>
    public TimeSpan? Again => _isOneByOne ? TimeSpan.Zero : _apart.Count > 0 ? Max(s_rest - clock.GetElapsedTime(_heldUpAt), TimeSpan.Zero) : null;

    /// <summary>One step: a batch, or one run. Null: nothing was done.</summary>
    /// <param name="end">Ends runs in one transaction.</param>
    /// <param name="next">A run that could be ended, but for those given.</param>
    public async Task<T?> RunAsync<T>(Func<RunChoice, Task<T>> end, Func<long[], Task<long?>> next)
        where T : class
    {
        if (_apart.TryPeek(out var run) && clock.GetElapsedTime(_heldUpAt) >= s_rest)
        {
            var ended = await AloneAsync(end, run);
            _apart.Dequeue();
            if (ended is null) _apart.Enqueue(run);
            return ended;
        }

        return _isOneByOne ? await NextAsync(end, next) : await AllAsync(end);
    }

    private async Task<T?> AllAsync<T>(Func<RunChoice, Task<T>> end)
        where T : class
    {
        try
        {
            return await end(new() { Except = Apart, Patience = Patience.Usual });
        }
        catch (Exception e) when (Patience.IsOver(e))
        {
            _isOneByOne = true;
            return null;
        }
    }

    private async Task<T?> NextAsync<T>(Func<RunChoice, Task<T>> end, Func<long[], Task<long?>> next)
        where T : class
    {
        if (await next(Apart) is not { } run)
        {
            _isOneByOne = false;
            return null;
        }

        if (await AloneAsync(end, run) is { } ended) return ended;

        _apart.Enqueue(run);
        Log.EndHeldUp(log, run);
        return null;
    }

    private async Task<T?> AloneAsync<T>(Func<RunChoice, Task<T>> end, long run)
        where T : class
    {
        try
        {
            return await end(new() { Only = run, Patience = Patience.Alone });
        }
        catch (Exception e) when (Patience.IsOver(e))
        {
            _heldUpAt = clock.GetTimestamp();
            return null;
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

/// <summary>Which of the runs that are due a statement is for.</summary>
internal sealed record RunChoice
{
    /// <summary>All of them, however long it takes.</summary>
    public static RunChoice All { get; } = new();

    public long[] Except { get; init; } = [];

    /// <summary>Null: no single one.</summary>
    public long? Only { get; init; }

    /// <summary>How long it waits for a row that somebody else has locked, before it fails with nothing done; null: as long as it takes.</summary>
    public TimeSpan? Patience { get; init; }
}
