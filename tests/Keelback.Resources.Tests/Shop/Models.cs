namespace Keelback.Resources.Tests.Shop;

public enum Medium
{
    Digital,
    Vinyl,
    CompactDisc,
}

public sealed class Genre
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public sealed class Album
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public DateOnly? ReleasedOn { get; set; }

    public List<Track> Tracks { get; } = [];
}

public sealed class Track
{
    public long Id { get; set; }

    public string Name { get; set; } = "";

    public int AlbumId { get; set; }

    public Album? Album { get; set; }

    public int? GenreId { get; set; }

    public Genre? Genre { get; set; }

    public decimal UnitPrice { get; set; }

    public int Plays { get; set; }

    public Medium Medium { get; set; }

    public bool Explicit { get; set; }

    public DateTime AddedAt { get; set; }

    public DateTime LocalTime { get; set; }

    public string? Secret { get; set; }

    public string Owner { get; set; } = "";
}

/// <summary>Its key is text that the caller chooses.</summary>
public sealed class Label
{
    public string Code { get; set; } = "";

    public string Name { get; set; } = "";
}

/// <summary>Its key is two columns.</summary>
public sealed class Pair
{
    public int Left { get; set; }

    public int Right { get; set; }
}

/// <summary>Its key is a Guid, and it has only what its constructor takes.</summary>
public sealed class Note
{
    private Note()
    {
    }

    public Guid Id { get; private set; }

    public string Text { get; private set; } = "";

    public double Weight { get; private set; }
}
