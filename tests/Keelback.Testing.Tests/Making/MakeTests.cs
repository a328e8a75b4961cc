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
    public async Task What_cannot_be_made_is_told_with_the_way_out()
    {
        await Refused<Greeting>("KB1611: Make<Greeting>() found no context whose model has this type. Add it to the context, or make one of its owners.");
        await Refused<Team>("KB1612: Make cannot begin: Team needs Coach needs Team. Set one of these references yourself.");
        await Refused<Book>("KB1613: Make<Book>() knows no value for Isbn of type Isbn. Set it: Make<Book>(x => x.Isbn = …).");

        async Task Refused<T>(string message)
            where T : class => Assert.Equal(message, (await Assert.ThrowsAsync<KeelbackException>(() => Make<T>())).Message);
    }

    [Fact]
    public async Task What_the_kit_has_no_value_for_can_be_set()
    {
        var book = await Make<Book>(b => b.Isbn = new("9780262033848"));

        Assert.Equal("9780262033848", (await Get<ShopDb>().Set<Book>().SingleAsync(b => b.Id == book.Id)).Isbn.Digits);
    }
}
