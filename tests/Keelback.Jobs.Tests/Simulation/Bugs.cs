namespace Keelback.Jobs.Tests.Simulation;

/// <summary>Mistakes that the simulation can be told to make, each of which it must then find.</summary>
[Flags]
internal enum Bugs
{
    None = 0,

    // In the store.

    /// <summary>An outcome is written by its run alone, whoever holds it.</summary>
    NoToken = 1 << 0,

    /// <summary>The sweep takes back what runs for long, not what a dead worker held.</summary>
    RecoveryByElapsedTime = 1 << 1,

    /// <summary>Who waits is counted down by every end, not by the edges that this end flipped.</summary>
    CountWithoutFlip = 1 << 2,

    /// <summary>A deadline ends whichever attempt holds the run.</summary>
    TimerWithoutAttempt = 1 << 3,

    /// <summary>What is handed back has spent its attempt.</summary>
    ReleaseSpendsAttempt = 1 << 4,

    /// <summary>Slots are not counted at the claim.</summary>
    NoLimit = 1 << 5,

    /// <summary>A claim does not look whether a run's time is over.</summary>
    LateStart = 1 << 6,

    /// <summary>A death is not counted.</summary>
    CrashForgotten = 1 << 7,

    /// <summary>Whoever asks may claim, lease or none.</summary>
    ClaimWithoutLease = 1 << 8,

    /// <summary>A run that is opened again keeps its rows in the queues.</summary>
    RedriveLeavesRows = 1 << 9,

    /// <summary>What follows the end of a run that is opened again, and has not started, may start all the same.</summary>
    RedriveForgetsBelow = 1 << 21,

    /// <summary>Who waits for a run that was cancelled is not told.</summary>
    CancelTellsNobody = 1 << 10,

    /// <summary>A sweep that finds a second death loses the run's way back.</summary>
    SweepLosesRun = 1 << 11,

    /// <summary>A claim gives out every suspect that it meets.</summary>
    SuspectsTogether = 1 << 18,

    /// <summary>A deadline is called whether the worker is heard of or not.</summary>
    DeadlineOfTheDead = 1 << 20,

    // In the worker.

    /// <summary>What was claimed by an answer that was lost stays claimed.</summary>
    StrangersKept = 1 << 12,

    /// <summary>An outcome that was written is told once more.</summary>
    ToldTwice = 1 << 13,

    /// <summary>A worker that stops goes on claiming.</summary>
    ClaimWhileDraining = 1 << 14,

    /// <summary>One more is claimed than there are free slots.</summary>
    OneTooMany = 1 << 15,

    /// <summary>An outcome whose exchange failed is not told again.</summary>
    OutcomeDropped = 1 << 16,

    /// <summary>What was claimed under a lease that is lost is started as if it were held.</summary>
    StartsWithoutLease = 1 << 17,

    /// <summary>A worker that has a suspect takes another.</summary>
    SecondSuspect = 1 << 19,

    /// <summary>An outcome that was written, and whose answer was lost, is taken for one that came too late.</summary>
    DoubtForgotten = 1 << 22,

    /// <summary>An outcome that a lock held up is not told again.</summary>
    HeldUpDropped = 1 << 23,
}
