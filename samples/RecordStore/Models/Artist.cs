using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("artist")]
[Index(nameof(Name), IsUnique = true)]
public sealed class Artist
{
    public int Id { get; init; }

    [MaxLength(120)]
    public required string Name { get; set; }

    public List<Album> Albums { get; } = [];
}
