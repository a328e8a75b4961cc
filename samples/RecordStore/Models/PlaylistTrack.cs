using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

/// <summary>That a track is on a playlist; the pair is the key.</summary>
[Table("playlist_track")]
[PrimaryKey(nameof(PlaylistId), nameof(TrackId))]
public sealed class PlaylistTrack
{
    public int PlaylistId { get; init; }

    public int TrackId { get; init; }
}
