using System.ComponentModel.DataAnnotations;

namespace Keelback.Resources.Tests.Shop;

public sealed record TrackDto(
    long Id, string Name, string? Album, decimal UnitPrice, int? GenreId, Medium Medium, bool Explicit, DateTime AddedAt);

public sealed record TrackInput(
    string Name, int AlbumId, int? GenreId, [Range(0, 1000)] decimal UnitPrice, int Plays = 0,
    Medium Medium = Medium.Digital, bool Explicit = false, DateTime AddedAt = default) : IValidatableObject
{
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Explicit && UnitPrice == 0) yield return new("An explicit track is not free.", [nameof(UnitPrice)]);
    }
}

public sealed class TrackResource : Resource<Track, TrackDto>
{
    protected override void Configure(ResourceBuilder<Track, TrackDto> r) => r
        .Read(t => new TrackDto(t.Id, t.Name, t.Album!.Title, t.UnitPrice, t.GenreId, t.Medium, t.Explicit, t.AddedAt))
        .Write<TrackInput>()
        .Filter(t => t.UnitPrice, FilterOps.Range)
        .Filter(t => t.GenreId, FilterOps.Null)
        .Filter(t => t.Name, FilterOps.Text)
        .Filter(t => t.Medium)
        .Filter(t => t.Explicit)
        .Filter(t => t.AddedAt, FilterOps.Range)
        .Filter(t => t.LocalTime, FilterOps.Range)
        .Filter(t => t.Album!.Title)
        .Filter(t => t.Album!.ReleasedOn, FilterOps.Range | FilterOps.Null)
        .Search(t => t.Name, t => t.Album!.Title)
        .Order(t => t.Name, t => t.UnitPrice, t => t.Album!.ReleasedOn)
        .Page(size: 3, max: 10);
}

public sealed record GenreDto(int Id, string Name);

public sealed record GenreInput([property: MinLength(2)] string Name);

public sealed class GenreResource : Resource<Genre, GenreDto>
{
    protected override void Configure(ResourceBuilder<Genre, GenreDto> r) => r
        .Read(g => new GenreDto(g.Id, g.Name))
        .Write<GenreInput>()
        .RequireIfMatch();
}

/// <summary>Its projection is more than columns, so EF makes the objects.</summary>
public sealed record AlbumDto(int Id, string Title, IReadOnlyList<string> Tracks, string Shout)
{
    public int Length => Title.Length;
}

public sealed record AlbumInput(string Title, DateOnly? ReleasedOn);

public sealed class AlbumResource : Resource<Album, AlbumDto>
{
    protected override void Configure(ResourceBuilder<Album, AlbumDto> r) => r
        .Read(a => new AlbumDto(a.Id, a.Title, a.Tracks.OrderBy(t => t.Id).Select(t => t.Name).ToList(), Shout(a.Title)))
        .Write<AlbumInput>()
        .Order(a => a.Title);

    private static string Shout(string text) => text.ToUpperInvariant() + "!";
}

public sealed record LabelDto(string Code, string Name);

public sealed class LabelResource : Resource<Label, LabelDto>
{
    protected override void Configure(ResourceBuilder<Label, LabelDto> r) => r
        .Read(l => new LabelDto(l.Code, l.Name))
        .Write<LabelDto>();
}

public sealed class NoteDto
{
    public Guid Id { get; init; }

    public required string Text { get; init; }

    public double Weight { get; init; }
}

/// <summary>Its constructor relies on what it takes, as that of a body's type may.</summary>
public sealed class NoteInput(string text, double weight)
{
    public string Text { get; } = text.Trim();

    public double Weight { get; } = weight;
}

public sealed class NoteResource : Resource<Note, NoteDto>
{
    protected override void Configure(ResourceBuilder<Note, NoteDto> r) => r
        .Read(n => new NoteDto { Id = n.Id, Weight = n.Weight, Text = n.Text })
        .Write<NoteInput>()
        .Filter(n => n.Weight, FilterOps.Range);
}

/// <summary>Callers see and touch the rows whose owner they say they are.</summary>
public sealed class OwnTrackResource : Resource<Track, OwnTrackDto>
{
    protected override void Configure(ResourceBuilder<Track, OwnTrackDto> r) => r
        .Read(t => new OwnTrackDto(t.Id, t.Name, t.Owner))
        .Write<OwnTrackInput>()
        .Scope(http =>
        {
            var owner = http.Request.Headers["X-Owner"].ToString();
            return t => t.Owner == owner;
        });

    protected override ValueTask SavingAsync(Saving<Track> saving, CancellationToken ct)
    {
        if (saving.Entity.Name == "forbidden") saving.Refuse("/name", "forbidden", "This name is forbidden.");
        if (saving.Entity.Name == "taken") saving.Refuse("/name", "taken", "This name is taken.");
        return ValueTask.CompletedTask;
    }
}

public sealed record OwnTrackDto(long Id, string Name, string Owner);

public sealed record OwnTrackInput(string Name, int AlbumId, string Owner);
