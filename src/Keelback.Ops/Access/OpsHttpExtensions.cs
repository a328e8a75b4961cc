using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops;

/// <summary>What the pages ask a request.</summary>
internal static class OpsHttpExtensions
{
    /// <summary>Where the pages are mapped, as this request came to them.</summary>
    public static Place GetPlace(this HttpContext http) =>
        new(http.Request.PathBase.Add(http.GetEndpoint()!.Metadata.GetRequiredMetadata<PlaceMetadata>().Root));

    /// <summary>The API and the metrics: whoever asks there wants no page.</summary>
    public static bool IsForMachines(this HttpContext http) => http.GetEndpoint()!.Metadata.GetMetadata<ForMachines>() is not null;

    public static IAntiforgery GetRequiredAntiforgery(this IServiceProvider services) => services.GetRequiredService<IAntiforgery>();

    /// <summary>Whether the pages show the forms that change something.</summary>
    public static bool MayAct(this HttpContext http) => !http.Items.ContainsKey(typeof(ActionGate));

    public static void SetMayNotAct(this HttpContext http) => http.Items[typeof(ActionGate)] = null;

    /// <summary>The hidden field of a form that changes something; empty: who asks may not, and sees no such form.</summary>
    public static Markup GetFormToken(this HttpContext http)
    {
        if (!http.MayAct()) return Markup.Empty;

        var tokens = http.RequestServices.GetRequiredAntiforgery().GetAndStoreTokens(http);
        return Html.Of($"""<input type="hidden" name="{tokens.FormFieldName}" value="{tokens.RequestToken}">""");
    }

    /// <summary>Who acts, for the audit.</summary>
    public static Actor GetActor(this HttpContext http, string via) => new(Who(http), via);

    private static string Who(HttpContext http) =>
        http.User.Identities.FirstOrDefault(i => i.IsAuthenticated) is { } user ? Name(user) ?? $"(no name) {user.AuthenticationType}"
        : http.Connection.RemoteIpAddress is { } address ? $"(no login) {(IPAddress.IsLoopback(address) ? "localhost" : address)}"
        : "(no login)";

    // A token may tell no name, but who it is of: as "sub", or as ASP.NET's own handlers call that.
    private static string? Name(ClaimsIdentity user) =>
        new[] { user.Name, user.FindFirst(ClaimTypes.NameIdentifier)?.Value, user.FindFirst("sub")?.Value }.FirstOrDefault(name => !string.IsNullOrWhiteSpace(name));
}

/// <summary>On each endpoint: the pattern under which the pages are.</summary>
internal sealed record PlaceMetadata(string Root);

/// <summary>On endpoints that answer programs.</summary>
internal sealed record ForMachines;
