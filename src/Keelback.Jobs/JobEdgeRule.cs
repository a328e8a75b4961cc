namespace Keelback.Jobs;

/// <summary>When an edge of a graph opens for the job that it leads to.</summary>
public enum JobEdgeRule
{
    /// <summary>When the first job has succeeded.</summary>
    Success,

    /// <summary>When it has ended without success: failed, quarantined, expired, cancelled, or for the sake of one before it. Not when it was skipped.</summary>
    Failure,

    /// <summary>When it has ended, however.</summary>
    End,

    /// <summary>The job that it leads to ends as the first one did, which stands in its place.</summary>
    Replacement,
}
