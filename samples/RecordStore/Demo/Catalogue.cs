using Microsoft.EntityFrameworkCore;

namespace RecordStore.Demo;

/// <summary>A small store that is made up: the same each time.</summary>
public sealed class Catalogue(StoreDb db)
{
    private static readonly string[] s_genres = ["Ambient", "Blues", "Chamber", "Folk", "Funk", "Jazz", "Post-Rock", "Synth Pop"];

    private static readonly string[] s_artists =
    [
        "The Paper Lanterns", "Mirela Voss", "Quiet Harbour", "Kite Season", "Tomas & the Tall Ships", "Northern Relay",
        "Ada Winterbourne", "Copper Avenue", "Second Daylight", "Juniper Static", "The Long Division", "Salt Meridian",
    ];

    private static readonly string[] s_adjectives =
        ["Amber", "Borrowed", "Distant", "Electric", "Folded", "Golden", "Hollow", "Late", "Northern", "Paper", "Quiet", "Restless", "Silver", "Slow"];

    private static readonly string[] s_nouns =
        ["Arcade", "Bridges", "Carousel", "Daylight", "Embers", "Ferries", "Gardens", "Harbour", "Letters", "Love", "Maps", "Rivers", "Signals", "Windows"];

    private static readonly (string First, string Last, string City, string Country)[] s_customers =
    [
        ("Ines", "Almeida", "Lisbon", "Portugal"), ("Jonas", "Berg", "Oslo", "Norway"), ("Chiara", "Conti", "Turin", "Italy"),
        ("Daniel", "Dvořák", "Brno", "Czech Republic"), ("Emma", "Eriksson", "Malmö", "Sweden"), ("Farid", "Farouk", "Cairo", "Egypt"),
        ("Grace", "Gallagher", "Cork", "Ireland"), ("Hugo", "Hernández", "Seville", "Spain"),
    ];

    /// <summary>Fills a store that has no artist yet.</summary>
    public async Task<bool> FillAsync(CancellationToken ct)
    {
        if (await db.Artists.AnyAsync(ct)) return false;

        var dice = new Random(1887); // the year of the gramophone's patent
        var genres = s_genres.Select(name => new Genre { Name = name }).ToArray();
        var download = new MediaType { Name = "FLAC audio file" };
        foreach (var name in s_artists) db.Add(Artist(name, genres, download, dice));

        var clerk = new Employee { FirstName = "Olga", LastName = "Novak", Title = "Sales Support Agent", Email = "olga@recordstore.example" };
        db.AddRange(s_customers.Select(c => Customer(c, clerk)));

        await db.SaveChangesAsync(ct);
        await AddPlaylistsAsync(ct);
        return true;
    }

    private static Artist Artist(string name, Genre[] genres, MediaType download, Random dice)
    {
        var artist = new Artist { Name = name };
        var genre = dice.GetItems(genres, 1)[0];
        foreach (var title in Titles(dice, count: dice.Next(1, 4)))
        {
            var album = new Album { Title = title, Artist = artist };
            album.Tracks.AddRange(Titles(dice, count: dice.Next(6, 12)).Select(track => Track(track, album, genre, download, dice)));
            artist.Albums.Add(album);
        }

        return artist;
    }

    private static Track Track(string name, Album album, Genre genre, MediaType download, Random dice)
    {
        var seconds = dice.Next(110, 420);
        return new()
        {
            Name = name,
            Album = album,
            Genre = genre,
            MediaType = download,
            Milliseconds = seconds * 1000,
            Bytes = seconds * 112_000L,
            UnitPrice = dice.Next(4) == 0 ? 1.29m : 0.99m,
        };
    }

    private static Customer Customer((string First, string Last, string City, string Country) person, Employee clerk) => new()
    {
        FirstName = person.First,
        LastName = person.Last,
        City = person.City,
        Country = person.Country,
        Email = $"{person.First.ToLowerInvariant()}@customers.example",
        SupportRep = clerk,
    };

    private async Task AddPlaylistsAsync(CancellationToken ct)
    {
        var tracks = await db.Tracks.OrderBy(track => track.Id).ToListAsync(ct);
        db.Add(Playlist("Everything", tracks));
        db.Add(Playlist("Short ones", tracks.Where(track => track.Milliseconds < 180_000)));
        await db.SaveChangesAsync(ct);
    }

    private static Playlist Playlist(string name, IEnumerable<Track> tracks)
    {
        var playlist = new Playlist { Name = name };
        playlist.Tracks.AddRange(tracks);
        return playlist;
    }

    private static IEnumerable<string> Titles(Random dice, int count) => Enumerable
        .Range(0, count)
        .Select(_ => $"{dice.GetItems(s_adjectives, 1)[0]} {dice.GetItems(s_nouns, 1)[0]}")
        .Distinct();
}
