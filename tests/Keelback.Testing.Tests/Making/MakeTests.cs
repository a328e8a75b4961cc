using Keelback.Testing.Tests.App;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Testing.Tests.Making;

public class MakeTests : KeelbackTest<Program>
{
    [Fact]
    public async Task What_is_required_is_filled_and_what_it_needs_is_made()
    {
        var album = await Make<Album>();

        var stored = await Get<ShopDb>().Albums.Include(a => a.Genre).SingleAsync(a => a.Id == album.Id);
        Assert.Equal(5m, stored.Price);
        Assert.InRange(stored.Title.Length, 1, 20);
        Assert.EndsWith("@example.com", stored.Label.ContactEmail);
        Assert.Equal(2, stored.Genre.Code.Length);
        Assert.Null(stored.Note);
    }

    [Fact]
    public async Task What_the_test_sets_stays()
    {
        var genre = await Make<Genre>(g => g.Code = "JZ");

        var album = await Make<Album>(a => (a.Title, a.Genre, a.Note) = ("Blue", genre, "first"));

        var stored = await Get<ShopDb>().Albums.Include(a => a.Genre).SingleAsync();
        Assert.Equal(("Blue", "JZ", "first", album.Id), (stored.Title, stored.Genre.Code, stored.Note, stored.Id));
        Assert.Equal(1, await Get<ShopDb>().Genres.CountAsync());
    }

    [Fact]
    public async Task Unique_values_differ_even_in_two_letters()
    {
        for (var i = 0; i < 50; i++) await Make<Genre>();

        Assert.Equal(50, await Get<ShopDb>().Genres.Select(g => g.Code).Distinct().CountAsync());
    }

    [Fact]
    public async Task A_foreign_key_without_a_navigation_gets_its_row()
    {
        var sale = await Make<Sale>();

        Assert.Equal(1, await Get<ShopDb>().Albums.CountAsync(a => a.Id == sale.AlbumId));
        Assert.Equal(1, sale.Quantity);
    }

    [Fact]
    public async Task A_type_that_no_context_has_is_a_mistake() =>
        Assert.Equal("KB1611", (await Assert.ThrowsAsync<KeelbackException>(() => Make<Greeting>())).Code);
}
