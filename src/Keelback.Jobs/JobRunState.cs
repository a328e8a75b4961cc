namespace Keelback.Jobs;

/// <summary>Where a run stands.</summary>
public enum JobRunState
{
    /// <summary>May be claimed by a worker.</summary>
    Ready,

    /// <summary>Waits for its time: a delay, or the wait before a retry.</summary>
    Scheduled,

    /// <summary>Waits for other jobs' results.</summary>
    Blocked,

    /// <summary>Waits for a limit: a slot, or the next start, of one of its keys.</summary>
    Limited,

    /// <summary>A worker holds it.</summary>
    Running,

    /// <summary>Ended with a result.</summary>
    Succeeded,

    /// <summary>Ended with an error, its attempts spent.</summary>
    Failed,

    /// <summary>Ended by a cancellation.</summary>
    Cancelled,

    /// <summary>Never ran: a job it waits for did not succeed.</summary>
    UpstreamFailed,

    /// <summary>Ended because too many workers died while they ran it.</summary>
    Quarantined,

    /// <summary>Ended unstarted, its time over.</summary>
    Expired,

    /// <summary>Ended with nothing to do: the job said so, or no edge that leads to it can open.</summary>
    Skipped,
}
