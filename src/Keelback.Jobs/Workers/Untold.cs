namespace Keelback.Jobs;

/// <summary>The outcomes that are still to be told, and which of them go with the next exchange.</summary>
/// <remarks>
/// All of them, as a rule. Of a batch that failed for something in it each is told by itself: one that cannot be stored fails alone, and one whose run
/// another transaction has locked is set apart, where it is in nobody's way. What is set apart is tried again by itself, one each second, and one after the other once they get through.
/// </remarks>
internal sealed class Untold(TimeProvider clock)
{
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1);

    private readonly List<Outcome> _next = [];
    private readonly List<Outcome> _heldUp = [];
    private List<Outcome>? _alone; // where the one comes from that is told by itself
    private long _heldUpAt;

    public int Count => _next.Count + _heldUp.Count;

    /// <summary>Those that are not set apart.</summary>
    public int CountAtOnce => _next.Count;

    public IEnumerable<Outcome> All => _next.Concat(_heldUp);

    /// <summary>Whether a batch failed, and its outcomes are told one by one.</summary>
    public bool IsOneByOne { get; private set; }

    /// <summary>What ended since comes to the end.</summary>
    public void Take(RunningJobs jobs) => jobs.TakeOutcomes(_next);

    /// <summary>What the next exchange tells.</summary>
    /// <param name="isAlone">Whether it is one that may fail, and must not take anything else with it.</param>
    public List<Outcome> Next(out bool isAlone)
    {
        _alone = IsOneByOne ? _next : _heldUp.Count > 0 && clock.GetElapsedTime(_heldUpAt) >= s_rest ? _heldUp : null;
        isAlone = _alone is not null;
        return isAlone ? [.. _alone!.Take(1)] : [.. _next];
    }

    /// <summary>They are written.</summary>
    public void Told(int count)
    {
        (_alone ?? _next).RemoveRange(0, count);
        EndOneByOne();
    }

    /// <summary>Nothing is written, for one of them cannot be stored; where it was alone, this is told in its place.</summary>
    public void Refused(Func<Claim, Outcome> reason)
    {
        if (_alone is null) IsOneByOne = true;
        else _alone[0] = reason(_alone[0].Claim);
    }

    /// <summary>Nothing is written, for one of them met a row that somebody else has locked.</summary>
    public void HeldUp()
    {
        if (_alone is null)
        {
            IsOneByOne = true;
            return;
        }

        var outcome = _alone[0];
        _alone.RemoveAt(0);
        _heldUp.Add(outcome);
        _heldUpAt = clock.GetTimestamp();
        EndOneByOne();
    }

    private void EndOneByOne() => IsOneByOne &= _next.Count > 0;
}
