using System.ComponentModel.DataAnnotations;
using Keelback.Resources;

namespace RecordStore;

public sealed record TrackDto(
    int Id, string Name, int AlbumId, string Album, string Artist, string Genre, string? Composer, int Milliseconds, decimal UnitPrice);

public sealed record TrackInput
{
    public required string Name { get; init; }

    public required int AlbumId { get; init; }

    public required int MediaTypeId { get; init; }

    public required int GenreId { get; init; }

    public string? Composer { get; init; }

    [Range(1, int.MaxValue)]
    public required int Milliseconds { get; init; }

    [Range(0, long.MaxValue)]
    public required long Bytes { get; init; }

    [Range(0, 1000)]
    public required decimal UnitPrice { get; init; }
}

public sealed class TrackResource : Resource<Track, TrackDto>
{
    protected override void Configure(ResourceBuilder<Track, TrackDto> r) => r
        .Read(t => new TrackDto(
            t.Id, t.Name, t.AlbumId, t.Album.Title, t.Album.Artist.Name, t.Genre.Name, t.Composer, t.Milliseconds, t.UnitPrice))
        .Write<TrackInput>()
        .Filter(t => t.UnitPrice, FilterOps.Range).Filter(t => t.Milliseconds, FilterOps.Range)
        .Filter(t => t.GenreId).Filter(t => t.AlbumId)
        .Search(t => t.Name, t => t.Album.Title, t => t.Album.Artist.Name)
        .Order(t => t.Name, t => t.UnitPrice, t => t.Milliseconds)
        .Page(size: 50, max: 200);
}
