using System.ComponentModel.DataAnnotations;
using Keelback.Resources;

namespace RecordStore;

public sealed record CustomerDto(
    int Id, string FirstName, string LastName, string? Company, string? City, string? Country, string Email, int? SupportRepId);

public sealed record CustomerInput
{
    public required string FirstName { get; init; }

    public required string LastName { get; init; }

    public string? Company { get; init; }

    public string? Address { get; init; }

    public string? City { get; init; }

    public string? State { get; init; }

    public string? Country { get; init; }

    public string? PostalCode { get; init; }

    public string? Phone { get; init; }

    public string? Fax { get; init; }

    [EmailAddress]
    public required string Email { get; init; }

    public int? SupportRepId { get; init; }
}

public sealed class CustomerResource : Resource<Customer, CustomerDto>
{
    protected override void Configure(ResourceBuilder<Customer, CustomerDto> r) => r
        .Read(c => new CustomerDto(c.Id, c.FirstName, c.LastName, c.Company, c.City, c.Country, c.Email, c.SupportRepId))
        .Write<CustomerInput>()
        .Filter(c => c.Country).Filter(c => c.SupportRepId).Filter(c => c.Email)
        .Search(c => c.FirstName, c => c.LastName, c => c.Company, c => c.Email)
        .Order(c => c.LastName, c => c.FirstName, c => c.Country)
        .Page(size: 50, max: 200);
}
