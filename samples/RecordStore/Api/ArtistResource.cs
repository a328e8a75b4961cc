using Keelback.Resources;

namespace RecordStore;

public sealed record ArtistDto(int Id, string Name);

public sealed record ArtistInput
{
    public required string Name { get; init; }
}

public sealed class ArtistResource : Resource<Artist, ArtistDto>
{
    protected override void Configure(ResourceBuilder<Artist, ArtistDto> r) => r
        .Read(a => new ArtistDto(a.Id, a.Name))
        .Write<ArtistInput>()
        .Filter(a => a.Name)
        .Search(a => a.Name)
        .Order(a => a.Name)
        .Page(size: 50, max: 200);
}
