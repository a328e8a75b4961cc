namespace Keelback.Ops;

/// <summary>Who acts, and by what: <c>page</c>, <c>api</c> or <c>cli</c>.</summary>
internal sealed record Actor(string Who, string Via);

/// <summary>What came of an action.</summary>
internal sealed record ActionResult(bool Done, string Outcome, string? After = null)
{
    /// <summary>The run that was made, by this call or by an earlier one with the same id; null: none was.</summary>
    public long? Run { get; init; }
}
