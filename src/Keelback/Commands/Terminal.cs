namespace Keelback;

/// <summary>Where the shell reads and writes. The test kit puts its own in place.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Complaints.</param>
/// <param name="In">What is piped in; null: nothing.</param>
/// <param name="Throws">Whether a failed start is thrown at the caller rather than printed; a test host wants the exception.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, TextReader? In = null, bool Throws = false);
