using Keelback.Resources;

namespace RecordStore;

public sealed record AlbumDto(int Id, string Title, int ArtistId, string Artist);

public sealed record AlbumInput
{
    public required string Title { get; init; }

    public required int ArtistId { get; init; }
}

public sealed class AlbumResource : Resource<Album, AlbumDto>
{
    protected override void Configure(ResourceBuilder<Album, AlbumDto> r) => r
        .Read(a => new AlbumDto(a.Id, a.Title, a.ArtistId, a.Artist.Name))
        .Write<AlbumInput>()
        .Filter(a => a.ArtistId)
        .Search(a => a.Title, a => a.Artist.Name)
        .Order(a => a.Title)
        .Page(size: 50, max: 200);
}
