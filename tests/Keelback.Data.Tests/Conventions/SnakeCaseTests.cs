using System.Text;

namespace Keelback.Data.Tests;

public sealed class SnakeCaseTests
{
    [Theory]
    [InlineData("InvoiceLine", "invoice_line")]
    [InlineData("InvoiceLineID", "invoice_line_id")]
    [InlineData("HTTPServer", "http_server")]
    [InlineData("Address_Street", "address_street")]
    [InlineData("Line1", "line1")]
    [InlineData("already_snake", "already_snake")]
    [InlineData("ÜberName", "über_name")]
    public void A_name_is_spelt_in_lower_case_with_underscores(string name, string expected) =>
        Assert.Equal(expected, SnakeCase.Of(name));

    [Fact]
    public void A_name_over_63_bytes_is_cut_and_stays_unique()
    {
        var one = SnakeCase.Join("fk", new string('ü', 60), "album_id");
        var other = SnakeCase.Join("fk", new string('ü', 60), "artist_id");

        Assert.NotEqual(one, other);
        Assert.All([one, other], name => Assert.InRange(Encoding.UTF8.GetByteCount(name), 60, 63));
        Assert.Equal(SnakeCase.Join("fk", new string('ü', 60), "album_id"), one);
    }
}
