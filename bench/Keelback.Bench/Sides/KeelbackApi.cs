using Keelback.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Keelback.Bench.Sides;

/// <summary>List and create as an app has them: the whole of AddKeelback and UseKeelback around one resource.</summary>
internal static class KeelbackApi
{
    public static async Task<int> RunAsync(string connectionString)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Keelback", connectionString)]);
        builder.AddKeelback<Catalogue>();

        await using var app = builder.Build();
        app.UseKeelback();
        app.MapResource<TrackResource>("/api/tracks").AllowAnonymous();
        await app.StartAsync();

        Child.Answer(new Uri(app.Urls.First()).Port.ToString(null as IFormatProvider));
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private sealed class TrackResource : Resource<Track, TrackDto>
    {
        protected override void Configure(ResourceBuilder<Track, TrackDto> r) => r
            .Read(t => new TrackDto(t.Id, t.Name, t.Album.Title, t.Album.Artist.Name, t.Milliseconds, t.UnitPrice))
            .Write<NewTrack>()
            .Filter(t => t.GenreId)
            .Order(t => t.Name)
            .Page(size: 50, max: 200);
    }
}
