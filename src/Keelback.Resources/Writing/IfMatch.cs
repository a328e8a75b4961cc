using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Keelback.Resources;

/// <summary>The <c>If-Match</c> header: the state that the caller has seen and means to change.</summary>
internal sealed class IfMatch
{
    private const string Name = "If-Match";

    private readonly IList<EntityTagHeaderValue>? _tags;

    private IfMatch(IList<EntityTagHeaderValue>? tags) => _tags = tags;

    /// <summary>Whether the caller cares at all.</summary>
    public bool IsSent => _tags is not null;

    public static (IfMatch? Condition, Problem? Problem) Read(HttpRequest request, bool isRequired)
    {
        var values = request.Headers.IfMatch;
        if (values.Count == 0)
        {
            return isRequired
                ? (null, new Problem(StatusCodes.Status428PreconditionRequired, Errors:
                    [FieldError.InParameter(Name, "required", "Send the ETag of the row as you have seen it.")]))
                : (new(null), null);
        }

        return EntityTagHeaderValue.TryParseStrictList([.. values.OfType<string>()], out var tags) && tags.Count > 0
            ? (new(tags), null)
            : (null, Problem.Input(FieldError.InParameter(Name, "format", "Expected *, or ETags such as \"2f1-9a0b…\", in quotes.")));
    }

    /// <summary>By strong comparison: a weak tag matches nothing.</summary>
    public bool Matches(string etag) => _tags is null || _tags.Any(tag =>
        tag.Equals(EntityTagHeaderValue.Any) || !tag.IsWeak && tag.Tag.Equals(etag, StringComparison.Ordinal));

    public static Problem Failed() => new(StatusCodes.Status412PreconditionFailed, Errors:
        [FieldError.InParameter(Name, "changed", "The row is not as you have seen it; read it again.")]);
}
