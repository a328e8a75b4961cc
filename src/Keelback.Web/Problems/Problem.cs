using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Keelback.Web;

/// <summary>An answer that says what is wrong: one <c>application/problem+json</c> document (RFC 9457) with every error at once.</summary>
/// <remarks>
/// Shape: <c>{type, title, status, detail?, traceId, errors?: [{pointer | parameter, code, message}]}</c>.
/// Return it from an endpoint, or throw it as a <see cref="ProblemException"/>.
/// </remarks>
/// <param name="Status">HTTP status, 400 to 599.</param>
/// <param name="Detail">For a person; what is so in this case. Never an exception's text.</param>
/// <param name="Errors">One element for each thing wrong, with its place.</param>
public sealed record Problem(int Status, string? Detail = null, IReadOnlyList<FieldError>? Errors = null) : IResult
{
    /// <summary>URI of the kind of problem. Default <c>about:blank</c>, which means: just what the status says.</summary>
    public string Type { get; init; } = "about:blank";

    /// <summary>The kind of problem in words, the same for every case of it. Default: the status's own phrase.</summary>
    public string Title { get; init; } = ReasonPhrases.GetReasonPhrase(Status);

    /// <summary>400 for input that breaks its rules; type <c>urn:keelback:problem:input</c>.</summary>
    public static Problem Input(params IReadOnlyList<FieldError> errors) => new(StatusCodes.Status400BadRequest, Errors: errors)
    {
        Type = "urn:keelback:problem:input",
        Title = "The request breaks the rules for its input",
    };

    /// <summary>409 for input that is right in itself and collides with what is stored; type <c>urn:keelback:problem:conflict</c>.</summary>
    public static Problem Conflict(params IReadOnlyList<FieldError> errors) => new(StatusCodes.Status409Conflict, Errors: errors)
    {
        Type = "urn:keelback:problem:conflict",
        Title = "The request collides with stored data",
    };

    /// <summary>Writes the document; a response that has begun is left as it is.</summary>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        return ProblemWriter.WriteAsync(httpContext, this);
    }
}
