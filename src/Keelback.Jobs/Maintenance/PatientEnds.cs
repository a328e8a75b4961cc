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
    private long _heldUpAt;

    /// <summary>The runs that are set apart.</summary>
    public long[] Apart => [.. _apart];

    /// <summary>Whether a batch was held up, and its runs are ended one by one.</summary>
    public bool IsOneByOne { get; private set; }

    /// <summary>Until it should be run again, whatever else is due; null: nothing was held up.</summary>
    public TimeSpan? Again => IsOneByOne ? TimeSpan.Zero : _apart.Count > 0 ? Max(s_rest - clock.GetElapsedTime(_heldUpAt), TimeSpan.Zero) : null;

    /// <summary>One step: a batch, or one run.</summary>
    /// <param name="end">Ends runs in one transaction.</param>
    /// <param name="next">A run that could be ended, but for those given.</param>
    public async Task RunAsync(Func<RunChoice, Task> end, Func<long[], Task<long?>> next)
    {
        if (_apart.TryPeek(out var apart) && clock.GetElapsedTime(_heldUpAt) >= s_rest)
        {
            var isThrough = await TryAsync(end, new() { Only = apart, Patience = Patience.Alone });
            _apart.Dequeue();
            if (!isThrough) SetApart(apart);
        }
        else if (!IsOneByOne)
        {
            IsOneByOne = !await TryAsync(end, new() { Except = Apart, Patience = Patience.Usual });
        }
        else if (await next(Apart) is not { } run)
        {
            IsOneByOne = false;
        }
        else if (!await TryAsync(end, new() { Only = run, Patience = Patience.Alone }))
        {
            SetApart(run);
            Log.EndHeldUp(log, run);
        }
    }

    private void SetApart(long run)
    {
        _apart.Enqueue(run);
        _heldUpAt = clock.GetTimestamp();
    }

    private static async Task<bool> TryAsync(Func<RunChoice, Task> end, RunChoice runs)
    {
        try
        {
            await end(runs);
            return true;
        }
        catch (Exception e) when (Patience.IsOver(e))
        {
            return false;
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
