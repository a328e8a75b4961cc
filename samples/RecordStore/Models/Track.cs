using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("track")]
public sealed class Track
{
    public int Id { get; init; }

    [MaxLength(200)]
    public required string Name { get; set; }

    public int AlbumId { get; set; }

    public Album Album { get; set; } = null!;

    public int MediaTypeId { get; set; }

    public MediaType MediaType { get; set; } = null!;

    public int GenreId { get; set; }

    public Genre Genre { get; set; } = null!;

    [MaxLength(220)]
    public string? Composer { get; set; }

    public int Milliseconds { get; set; }

    public long Bytes { get; set; }

    [Precision(10, 2)]
    public decimal UnitPrice { get; set; }

    public List<Playlist> Playlists { get; } = [];
}
