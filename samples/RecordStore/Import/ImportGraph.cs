using Keelback.Jobs;

namespace RecordStore.Import;

/// <summary>One job a file; a file waits for those that its rows refer to, and the others do not wait for it.</summary>
internal static class ImportGraph
{
    /// <summary>The entities that have a file, parents first.</summary>
    public static readonly IReadOnlyList<string> Entities =
    [
        nameof(Artist), nameof(Genre), nameof(MediaType), nameof(Employee), nameof(Playlist), nameof(Album), nameof(Customer),
        nameof(Track), nameof(Invoice), nameof(PlaylistTrack), nameof(InvoiceLine),
    ];

    public static Job<ImportResult> Of(long importId)
    {
        var artists = File(nameof(Artist));
        var genres = File(nameof(Genre));
        var mediaTypes = File(nameof(MediaType));
        var employees = File(nameof(Employee));
        var playlists = File(nameof(Playlist));

        var albums = File(nameof(Album)).After(artists);
        var tracks = File(nameof(Track)).After(albums, genres, mediaTypes);
        var entries = File(nameof(PlaylistTrack)).After(playlists, tracks);

        var customers = File(nameof(Customer)).After(employees);
        var invoices = File(nameof(Invoice)).After(customers);
        var lines = File(nameof(InvoiceLine)).After(invoices, tracks);

        return Imports.Finish(importId, Job.All(
            artists, genres, mediaTypes, employees, playlists, albums, tracks, entries, customers, invoices, lines));

        Job<FileResult> File(string entity) => Imports.File(importId, entity);
    }
}
