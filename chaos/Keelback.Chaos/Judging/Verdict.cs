namespace Keelback.Chaos;

/// <summary>What became of one invariant.</summary>
/// <param name="Invariant">Its number in faults.md.</param>
/// <param name="What">In words.</param>
/// <param name="Checked">How many cases were looked at.</param>
/// <param name="Violations">One sentence each.</param>
/// <param name="Note">Figures beside.</param>
internal sealed record Verdict(string Invariant, string What, long Checked, IReadOnlyList<string> Violations, string Note = "")
{
    public bool Holds => Violations.Count == 0;
}
