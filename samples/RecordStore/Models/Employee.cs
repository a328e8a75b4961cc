using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("employee")]
[Index(nameof(Email), IsUnique = true)]
public sealed class Employee
{
    public int Id { get; init; }

    [MaxLength(20)]
    public required string LastName { get; set; }

    [MaxLength(20)]
    public required string FirstName { get; set; }

    [MaxLength(30)]
    public string? Title { get; set; }

    [ForeignKey(nameof(Manager))]
    public int? ReportsTo { get; set; }

    public Employee? Manager { get; set; }

    public DateTimeOffset? BirthDate { get; set; }

    public DateTimeOffset? HireDate { get; set; }

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
}
