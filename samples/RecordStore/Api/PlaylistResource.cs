using Keelback.Resources;

namespace RecordStore;

public sealed record PlaylistDto(int Id, string Name, int Tracks);

public sealed record PlaylistInput
{
    public required string Name { get; init; }
}

public sealed class PlaylistResource : Resource<Playlist, PlaylistDto>
{
    protected override void Configure(ResourceBuilder<Playlist, PlaylistDto> r) => r
        .Read(p => new PlaylistDto(p.Id, p.Name, p.Tracks.Count))
        .Write<PlaylistInput>()
        .Search(p => p.Name)
        .Order(p => p.Name)
        .Page(size: 50, max: 200);
}
