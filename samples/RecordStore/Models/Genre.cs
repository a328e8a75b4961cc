using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("genre")]
[Index(nameof(Name), IsUnique = true)]
public sealed class Genre
{
    public int Id { get; init; }

    [MaxLength(120)]
    public required string Name { get; set; }
}
