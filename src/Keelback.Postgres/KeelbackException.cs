namespace Keelback;

/// <summary>A mistake that Keelback recognised. The message gives the code, what is so, the value, and the way out.</summary>
/// <remarks>Every code has an entry in docs/errors.md.</remarks>
public class KeelbackException : Exception
{
    /// <param name="code">Such as <c>KB1004</c>; never reused.</param>
    /// <param name="message">What is so, and the way out; without the code.</param>
    /// <param name="inner">What was caught, when something was.</param>
    public KeelbackException(string code, string message, Exception? inner = null)
        : base($"{code}: {message}", inner) => (Code, Text) = (code, message);

    /// <summary>The stable code, <c>KB</c> and four digits.</summary>
    public string Code { get; }

    /// <summary>The message without the code, for where that stands apart.</summary>
    internal string Text { get; }
}
