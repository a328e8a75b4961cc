using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("media_type")]
[Index(nameof(Name), IsUnique = true)]
public sealed class MediaType
{
    public int Id { get; init; }

    [MaxLength(120)]
    public required string Name { get; set; }
}
