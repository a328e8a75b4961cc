namespace Keelback.Bench;

/// <summary>What the load generator asks for.</summary>
internal static class Requests
{
    /// <summary>Every genre, and of each the first pages.</summary>
    public static IReadOnlyList<string> Lists { get; } =
    [
        .. from genre in Enumerable.Range(1, Catalogue.Genres)
           from page in Enumerable.Range(1, 4)
           select $"/api/tracks?genreId={genre}&ordering=name&page={page}&pageSize=20",
    ];

    public const string NewTrack = """{"name":"A new track","albumId":17,"genreId":3,"milliseconds":215000,"unitPrice":0.99}""";
}
