using Keelback.Resources;

namespace RecordStore;

public sealed record GenreDto(int Id, string Name);

public sealed record GenreInput
{
    public required string Name { get; init; }
}

public sealed class GenreResource : Resource<Genre, GenreDto>
{
    protected override void Configure(ResourceBuilder<Genre, GenreDto> r) => r
        .Read(g => new GenreDto(g.Id, g.Name))
        .Write<GenreInput>()
        .Search(g => g.Name)
        .Order(g => g.Name)
        .Page(size: 50, max: 200);
}
