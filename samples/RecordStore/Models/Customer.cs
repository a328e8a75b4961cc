using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("customer")]
[Index(nameof(Email), IsUnique = true)]
public sealed class Customer
{
    public int Id { get; init; }

    [MaxLength(40)]
    public required string FirstName { get; set; }

    [MaxLength(40)]
    public required string LastName { get; set; }

    [MaxLength(80)]
    public string? Company { get; set; }

    [MaxLength(70)]
    public string? Address { get; set; }

    [MaxLength(40)]
    public string? City { get; set; }

    [MaxLength(40)]
    public string? State { get; set; }

    [MaxLength(40)]
    public string? Country { get; set; }

    [MaxLength(10)]
    public string? PostalCode { get; set; }

    [MaxLength(24)]
    public string? Phone { get; set; }

    [MaxLength(24)]
    public string? Fax { get; set; }

    [MaxLength(60)]
    public required string Email { get; set; }

    public int? SupportRepId { get; set; }

    public Employee? SupportRep { get; set; }

    public List<Invoice> Invoices { get; } = [];
}
