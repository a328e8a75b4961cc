using System.Text.Json.Serialization;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops;

/// <summary>Reads what an action is given, strictly: a member that it does not know is a mistake, and says so.</summary>
/// <remarks>The members have their names here, so that no setting of the app changes them.</remarks>
internal static class ApiBodies
{
    /// <param name="http">The request.</param>
    /// <param name="unsent">What a request without a body means; null: it is a mistake.</param>
    /// <exception cref="ProblemException">What is wrong, with its place.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext http, T? unsent = null)
        where T : class
    {
        if (unsent is not null && (http.Request.ContentLength == 0 || http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false)) return unsent;

        var services = http.RequestServices;
        var body = await services.GetRequiredService<BodyReader>().ReadAsync(http, services.GetRequiredService<StrictJson>().Contract(typeof(T)));
        return body.Problem is { } problem ? throw new ProblemException(problem) : (T)body.Value!;
    }
}

/// <summary>Of an action that says all in its address.</summary>
internal sealed record NoBody;

/// <summary>What to do to all that a search finds.</summary>
internal sealed record BulkBody
{
    [JsonPropertyName("action")]
    public required string Action { get; init; }
}

/// <summary>Null: no limit of its own.</summary>
internal sealed record SlotsBody
{
    [JsonPropertyName("slots")]
    public required int? Slots { get; init; }
}

/// <summary>Null: as many as configured.</summary>
internal sealed record ScaleBody
{
    [JsonPropertyName("concurrency")]
    public required int? Concurrency { get; init; }
}

/// <summary>Of a run by hand.</summary>
internal sealed record RunBody
{
    /// <summary>The caller's own: a second call with it makes no second run.</summary>
    [JsonPropertyName("id")]
    public Guid? Id { get; init; }
}

/// <summary>When a schedule ticks.</summary>
internal sealed record ChangeBody
{
    [JsonPropertyName("when")]
    public required string When { get; init; }

    [JsonPropertyName("zone")]
    public string? Zone { get; init; }
}

/// <summary>For how long, and why.</summary>
internal sealed record RevokeBody
{
    [JsonPropertyName("lasting")]
    public string? Lasting { get; init; }

    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    [JsonPropertyName("unknown")]
    public bool Unknown { get; init; }
}

/// <summary>The numbers of a limit: what is left out stays as it is, null takes a number away.</summary>
internal sealed record LimitBody
{
    internal Dictionary<string, int?> Changes { get; } = [];

    [JsonPropertyName("slots")]
    public int? Slots { get; init => Changes["slots"] = field = value; }

    [JsonPropertyName("perSecond")]
    public int? PerSecond { get; init => Changes["perSecond"] = field = value; }

    [JsonPropertyName("perMinute")]
    public int? PerMinute { get; init => Changes["perMinute"] = field = value; }

    [JsonPropertyName("perHour")]
    public int? PerHour { get; init => Changes["perHour"] = field = value; }

    [JsonPropertyName("perDay")]
    public int? PerDay { get; init => Changes["perDay"] = field = value; }

    [JsonPropertyName("unknown")]
    public bool Unknown { get; init; }
}
