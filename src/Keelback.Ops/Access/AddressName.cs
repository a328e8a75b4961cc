using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Keelback.Ops;

/// <summary>A name that is one segment of the address, unescaped once: it may hold any characters, a slash among them.</summary>
/// <remarks>
/// The server leaves %2F in the path as it stands, or no route would find its segments; so a slash and the characters "%2F" are the same in a route's
/// value. What was sent tells them apart.
/// </remarks>
internal static class AddressName
{
    /// <summary>What stands in the place of a parameter of the route.</summary>
    public static string GetName(this HttpContext http, string parameter)
    {
        var seen = (string)http.Request.RouteValues[parameter]!;
        var sent = http.Features.Get<IHttpRequestFeature>()!.RawTarget.Split('?')[0].TrimEnd('/').Split('/');
        var place = FromEnd(((RouteEndpoint)http.GetEndpoint()!).RoutePattern, parameter);

        // A path that something before us rewrote is not the one that was sent.
        return place <= sent.Length && AsSeen(sent[^place]) == seen ? Uri.UnescapeDataString(sent[^place]) : seen.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The run that the address names.</summary>
    /// <exception cref="KeelbackException">KB1709: nothing that a run's id could be.</exception>
    public static long GetRun(this HttpContext http) => Id(http.GetName("id"), OpsErrors.NoRunId);

    /// <summary>The bulk that the address names.</summary>
    /// <exception cref="KeelbackException">KB1722: nothing that a bulk's number could be.</exception>
    public static long GetBulk(this HttpContext http) => Id(http.GetName("id"), OpsErrors.NoBulkId);

    private static long Id(string text, Func<string, KeelbackException> not) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw not(text);

    // From the end: what the app is mapped under stands before.
    private static int FromEnd(RoutePattern route, string parameter)
    {
        var segments = route.PathSegments;
        var at = segments.TakeWhile(s => !s.Parts.OfType<RoutePatternParameterPart>().Any(p => p.Name == parameter)).Count();
        return segments.Count - at;
    }

    private static string AsSeen(string segment) =>
        Uri.UnescapeDataString(segment.Replace("%2F", "%252F", StringComparison.Ordinal).Replace("%2f", "%252f", StringComparison.Ordinal));
}
