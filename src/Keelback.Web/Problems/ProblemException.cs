namespace Keelback.Web;

/// <summary>Ends the request with a <see cref="Problem"/> from code that cannot return one.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem.Title)
{
    /// <summary>What the caller gets.</summary>
    public Problem Problem { get; } = problem;
}
