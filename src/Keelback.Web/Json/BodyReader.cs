using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Keelback.Web;

/// <summary>Reads a request's JSON body into an object, or says all that is wrong with it.</summary>
internal sealed class BodyReader(IOptions<WebOptions> options, ILogger<BodyReader> log)
{
    private const string Json = "application/json";
    private const string MergePatch = "application/merge-patch+json";

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Reads a whole new object.</summary>
    public Task<Body> ReadAsync(HttpContext http, JsonContract contract) => ReadAsync(http, contract, isPatch: false);

    /// <summary>Reads the members that are to change; the rest of the object is left as the type makes it.</summary>
    public Task<Body> ReadPatchAsync(HttpContext http, JsonContract contract) => ReadAsync(http, contract, isPatch: true);

    /// <summary>Whether a type's own constructor or setter refused a value, rather than that no value could ever be read into it.</summary>
    public static bool IsRefusal(Exception e) => e is not (OutOfMemoryException or NotSupportedException);

    private async Task<Body> ReadAsync(HttpContext http, JsonContract contract, bool isPatch)
    {
        if (WrongType(http.Request, isPatch) is { } wrongType) return Body.Refused(wrongType);

        var limit = http.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? options.Value.MaxBodyBytes;
        using var bytes = new PooledBuffer(ExpectedLength(http.Request, limit));
        if (!await TryFillAsync(http, bytes, limit)) return Body.Refused(BadRequest.TooLarge(limit));

        return Parse(bytes.Written.Span, contract, isPatch);
    }

    private static Problem? WrongType(HttpRequest request, bool isPatch)
    {
        var expected = isPatch ? $"{Json} or {MergePatch}" : Json;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return BareStatus.UnsupportedType(request, expected);

        var right = type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase)
            || isPatch && type.MediaType.Equals(MergePatch, StringComparison.OrdinalIgnoreCase);
        var utf8 = !type.Charset.HasValue || type.Charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase);
        return right && utf8 ? null : BareStatus.UnsupportedType(request, expected + (right ? " in UTF-8" : ""));
    }

    private static int ExpectedLength(HttpRequest request, long limit) =>
        (int)Math.Clamp(request.ContentLength ?? 1024, 256, Math.Min(limit + 1, 64 * 1024));

    private static async Task<bool> TryFillAsync(HttpContext http, PooledBuffer bytes, long limit)
    {
        if (http.Request.ContentLength > limit) return false;

        while (true)
        {
            var read = await http.Request.Body.ReadAsync(bytes.GetMemory(), http.RequestAborted);
            if (read == 0) return true;

            bytes.Advance(read);
            if (bytes.Length > limit) return false;
        }
    }

    private Body Parse(ReadOnlySpan<byte> json, JsonContract contract, bool isPatch)
    {
        if (json.StartsWith(ByteOrderMark)) json = json[ByteOrderMark.Length..];
        if (json.IsEmpty) return Body.Refused("", "required", "The body is empty; expected JSON.");
        if (!Utf8.IsValid(json)) return Body.Refused("", "json", "The body is not UTF-8.");

        var errors = new ErrorList();
        var walker = new JsonWalker(json, errors, checkRules: false);
        walker.Walk(contract);
        if (errors.Count > 0)
        {
            if (contract.HasRules && !errors.IsFull && errors.Errors[0].Code is not ("json" or "depth")) AddRules(json, contract, errors);
            return Body.Refused(errors);
        }

        return Make(json, contract, walker.Sent, isPatch, errors);
    }

    private static void AddRules(ReadOnlySpan<byte> json, JsonContract contract, ErrorList errors)
    {
        errors.Clear();
        new JsonWalker(json, errors, checkRules: true).Walk(contract);
    }

    private Body Make(ReadOnlySpan<byte> json, JsonContract contract, bool[] sent, bool isPatch, ErrorList errors)
    {
        object? value;
        try
        {
            value = JsonSerializer.Deserialize(json, contract.Info);
        }
        catch (JsonException e)
        {
            // Only what the walker leaves to converters comes here.
            return Body.Refused(JsonPointer.FromPath(e.Path), "type", "The value does not fit here.");
        }
        catch (Exception e) when (IsRefusal(e))
        {
            Log.ValuesRefused(log, contract.Type.Name, e);
            return Body.Refused("", "value", ObjectRules.NotTogether);
        }

        ObjectRules.Check(contract, value, isPatch ? sent : null, "", errors);
        return errors.Count > 0 ? Body.Refused(errors) : new Body(value, sent, null);
    }
}

/// <summary>A body that was read: the object and which of its members were sent, or the problem.</summary>
internal sealed record Body(object? Value, bool[] Sent, Problem? Problem)
{
    public static Body Refused(Problem problem) => new(null, [], problem);

    public static Body Refused(ErrorList errors) => Refused(Problem.Input(errors.Errors));

    public static Body Refused(string pointer, string code, string message) =>
        Refused(Problem.Input(FieldError.InBody(pointer, code, message)));
}
