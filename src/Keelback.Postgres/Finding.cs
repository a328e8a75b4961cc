namespace Keelback;

/// <summary>One mistake that a check found.</summary>
/// <param name="Level">An error stops the start; a warning is logged.</param>
/// <param name="Code">Such as <c>KB1502</c>; stable.</param>
/// <param name="Message">What is so, with its value.</param>
/// <param name="Hint">The way out; null when the message has it.</param>
public sealed record Finding(FindingLevel Level, string Code, string Message, string? Hint = null);

/// <summary>How bad a finding is.</summary>
public enum FindingLevel
{
    /// <summary>Worth a look; nothing stops.</summary>
    Warning,

    /// <summary>The app does not start.</summary>
    Error,
}

/// <summary>Where a check puts what it found.</summary>
public sealed class Findings
{
    private readonly List<Finding> _all = [];

    /// <summary>In the order in which they were found.</summary>
    public IReadOnlyList<Finding> All => _all;

    /// <summary>Adds a mistake that stops the start.</summary>
    public void Error(string code, string message, string? hint = null) => _all.Add(new(FindingLevel.Error, code, message, hint));

    /// <summary>Adds something worth a look.</summary>
    public void Warning(string code, string message, string? hint = null) => _all.Add(new(FindingLevel.Warning, code, message, hint));
}
