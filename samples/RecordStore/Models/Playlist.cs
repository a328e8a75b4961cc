using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;

namespace RecordStore;

[Table("playlist")]
public sealed class Playlist
{
    public int Id { get; init; }

    [MaxLength(120)]
    public required string Name { get; set; } // not unique: the shop has two playlists called "Music"

    public List<Track> Tracks { get; } = [];
}
