using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace Keelback.Web;

/// <summary>Names the places that made ASP.NET Core refuse to bind a request, which itself only says 400.</summary>
/// <remarks>Asks the endpoint's own parameters again, so that all of them are named, and not only the first.</remarks>
internal static class BadRequest
{
    public static Problem Explain(BadHttpRequestException e, HttpContext http)
    {
        if (e.StatusCode == StatusCodes.Status413PayloadTooLarge) return TooLarge(null);
        if (e.StatusCode == StatusCodes.Status415UnsupportedMediaType) return BareStatus.UnsupportedType(http.Request, "application/json");
        if (e.StatusCode != StatusCodes.Status400BadRequest) return new(e.StatusCode);

        return e.InnerException is JsonException json
            ? Problem.Input([.. Parameters(http), Body(json)])
            : Explain(http);
    }

    public static Problem Explain(HttpContext http)
    {
        var errors = new List<FieldError>(Parameters(http));
        if (http.Features.Get<RefusedBody>() is { } refused)
        {
            if (refused.Problem.Errors is null || refused.Problem.Status != StatusCodes.Status400BadRequest) return refused.Problem;
            errors.AddRange(refused.Problem.Errors);
        }

        return errors.Count > 0 ? Problem.Input(errors) : new(StatusCodes.Status400BadRequest);
    }

    public static Problem TooLarge(long? limit) => new(StatusCodes.Status413PayloadTooLarge, Errors:
    [
        FieldError.InBody("", "size", limit is null ? "The body is too large." : $"The body is larger than {limit} bytes."),
    ]);

    private static FieldError Body(JsonException e)
    {
        // A path of "$" alone comes with broken JSON as well as with a wrong root; the position serves both.
        var pointer = JsonPointer.FromPath(e.Path);
        return FieldError.InBody(pointer, pointer.Length > 0 ? "type" : "json",
            $"The JSON does not fit at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
    }

    private static IEnumerable<FieldError> Parameters(HttpContext http)
    {
        if (http.GetEndpoint() is not { } endpoint) yield break;

        foreach (var parameter in endpoint.Metadata.GetOrderedMetadata<IParameterBindingMetadata>())
            if (Check(parameter, http) is { } error)
                yield return error;
    }

    private static FieldError? Check(IParameterBindingMetadata binding, HttpContext http)
    {
        var parameter = binding.ParameterInfo;
        if (binding.HasBindAsync || !binding.HasTryParse && parameter.ParameterType != typeof(string)) return null;

        var (name, value) = Sent(binding, http);
        if (name is null) return null;
        if (value is null)
        {
            return binding.IsOptional || parameter.HasDefaultValue
                ? null
                : FieldError.InParameter(name, "required", "A value is required.");
        }

        return Parses(parameter.ParameterType, value)
            ? null
            : FieldError.InParameter(name, "type", $"Expected {TypeNames.Of(parameter.ParameterType)}, got '{Shown.Text(value)}'.");
    }

    private static (string? Name, string? Value) Sent(IParameterBindingMetadata binding, HttpContext http)
    {
        var request = http.Request;
        var attributes = binding.ParameterInfo.GetCustomAttributes(inherit: true);
        var name = binding.Name;

        foreach (var attribute in attributes)
        {
            switch (attribute)
            {
                case IFromHeaderMetadata header:
                    return Header(header.Name ?? name);
                case IFromQueryMetadata query:
                    return Query(query.Name ?? name);
                case IFromRouteMetadata route:
                    return Route(route.Name ?? name);
                case IFromBodyMetadata or IFromServiceMetadata or IFromFormMetadata:
                    return default;
            }
        }

        return request.RouteValues.ContainsKey(name) ? Route(name) : Query(name);

        (string, string?) Header(string key) => (key, request.Headers.TryGetValue(key, out var v) ? v.ToString() : null);
        (string, string?) Query(string key) => (key, request.Query.TryGetValue(key, out var v) ? v.ToString() : null);
        (string, string?) Route(string key) => (key, http.GetRouteValue(key)?.ToString());
    }

    private static bool Parses(Type type, string value)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return true;
        if (type.IsEnum) return Enum.TryParse(type, value, ignoreCase: true, out _);

        var parse = type.GetMethod("TryParse", BindingFlags.Public | BindingFlags.Static,
            [typeof(string), typeof(IFormatProvider), type.MakeByRefType()]);
        if (parse is not null) return (bool)parse.Invoke(null, [value, CultureInfo.InvariantCulture, null])!;

        parse = type.GetMethod("TryParse", BindingFlags.Public | BindingFlags.Static, [typeof(string), type.MakeByRefType()]);
        return parse is null || (bool)parse.Invoke(null, [value, null])!;
    }
}

/// <summary>What a <see cref="Valid{T}"/> found; kept until the response is written, beside what other parameters found.</summary>
internal sealed record RefusedBody(Problem Problem);
