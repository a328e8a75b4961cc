namespace Keelback;

/// <summary>One thing wrong with one place of the caller's input; the element of <c>errors</c> in a problem document.</summary>
/// <param name="Pointer">JSON Pointer (RFC 6901) into the body, such as <c>/lines/0/quantity</c>; empty for the whole body, null when the error is not in the body.</param>
/// <param name="Parameter">Name of the query, path or header parameter; null when the error is in the body.</param>
/// <param name="Code">Stable, machine-readable: <c>required</c>, <c>type</c>, <c>unique</c> …</param>
/// <param name="Message">For a person; says what was expected.</param>
public sealed record FieldError(string? Pointer, string? Parameter, string Code, string Message)
{
    /// <summary>An error in the body, at a JSON Pointer.</summary>
    public static FieldError InBody(string pointer, string code, string message) => new(pointer, null, code, message);

    /// <summary>An error in a query, path or header parameter.</summary>
    public static FieldError InParameter(string parameter, string code, string message) => new(null, parameter, code, message);
}
