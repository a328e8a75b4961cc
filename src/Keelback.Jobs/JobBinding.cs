namespace Keelback.Jobs;

/// <summary>An edge of the graph: which parameter gets the result of which job; no parameter: only the order counts.</summary>
internal readonly record struct JobBinding(string? Parameter, Job Source)
{
    /// <summary>The one parameter of <see cref="JobKind.Gather"/>: the members' results, in order.</summary>
    public const string Members = "members";
}
