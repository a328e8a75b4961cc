namespace Keelback;

/// <summary>Looks for mistakes that no compiler can see. The start runs every check before anything else, and shows all findings at once.</summary>
/// <remarks>Added by <c>AddCheck</c>; one instance. Codes are yours: a short prefix and a number that you never reuse.</remarks>
public interface ICheck
{
    /// <summary>Whether the start runs it too. Default true; false for a check that asks the database, which the <c>check</c> command alone runs.</summary>
    bool AtStart => true;

    /// <summary>Adds what is wrong to <paramref name="findings"/>; adding nothing means that all is well.</summary>
    ValueTask RunAsync(Findings findings, CancellationToken ct);
}
