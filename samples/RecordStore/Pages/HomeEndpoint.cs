using Microsoft.AspNetCore.Http.HttpResults;

namespace RecordStore.Pages;

internal static class HomeEndpoint
{
    private const string Style = "RecordStore.Pages.store.css";

    /// <summary>The first page, and its style.</summary>
    public static void MapHome(this WebApplication app)
    {
        app.MapGet("/", async (HomeReader reader, HttpRequest request, CancellationToken ct) =>
            new RazorComponentResult<Home>(new { Model = await reader.ReadAsync(ct), Origin = $"{request.Scheme}://{request.Host}" })).AllowAnonymous().ExcludeFromDescription();

        app.MapGet("/store.css", () =>
            TypedResults.Stream(typeof(Home).Assembly.GetManifestResourceStream(Style)!, "text/css")).AllowAnonymous().ExcludeFromDescription();
    }
}
