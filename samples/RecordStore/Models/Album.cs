using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("album")]
[Index(nameof(ArtistId), nameof(Title), IsUnique = true)]
public sealed class Album
{
    public int Id { get; init; }

    [MaxLength(160)]
    public required string Title { get; set; }

    public int ArtistId { get; set; }

    public Artist Artist { get; set; } = null!;

    public List<Track> Tracks { get; } = [];
}
