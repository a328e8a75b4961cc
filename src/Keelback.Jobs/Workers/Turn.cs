namespace Keelback.Jobs;

/// <summary>One round of the <see cref="Pump"/>.</summary>
/// <param name="Telling">The outcomes that are told.</param>
/// <param name="IsAlone">Whether that is one which may fail, and nothing goes beside it: it is not blamed for what a claim has met, and takes nothing with it.</param>
/// <param name="IsFull">Whether it looks below the marks, and after everything else that is looked at once a second.</param>
/// <param name="AsksForClaims">Whether it asks which claims it still holds.</param>
/// <param name="Looks">The wishes for a full look that it fulfils.</param>
/// <param name="Asks">The wishes to ask after claims that it fulfils.</param>
internal readonly record struct Turn(List<Outcome> Telling, bool IsAlone, bool IsFull, bool AsksForClaims, int Looks, int Asks);

/// <summary>What became of an exchange that threw.</summary>
internal enum ExchangeFailure
{
    /// <summary>It may have been committed all the same.</summary>
    Unknown,

    /// <summary>Two got into each other's way: nothing was written, and the same again will do.</summary>
    RolledBack,

    /// <summary>Another transaction had locked a row of it for longer than it waits: nothing was written.</summary>
    HeldUp,

    /// <summary>Something in it cannot be stored: nothing was written.</summary>
    Refused,
}

/// <summary>Something to be done in a turn that any thread may ask for. One that comes while a turn is under way is the next one's.</summary>
internal sealed class Wish
{
    private int _made;
    private int _fulfilled;

    public int Made => Volatile.Read(ref _made);

    public void Make() => Interlocked.Increment(ref _made);

    public bool IsOpen(int made) => made != _fulfilled;

    public void Fulfil(int made) => _fulfilled = made;
}
