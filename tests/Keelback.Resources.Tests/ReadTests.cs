using System.Net;
using Keelback.Resources.Tests.Shop;

namespace Keelback.Resources.Tests;

public sealed class ReadTests(ShopApp shop) : IClassFixture<ShopApp>
{
    [Fact]
    public async Task A_list_is_a_page_with_the_count_and_absolute_links()
    {
        var first = await shop.GetAsync("/api/tracks?ordering=name&pageSize=2");
        var second = await shop.GetAsync(first.GetProperty("next").GetString()!);
        var third = await shop.GetAsync(second.GetProperty("next").GetString()!);

        Assert.Equal(5, first.GetProperty("count").GetInt32());
        Assert.Null(first.GetProperty("previous").GetString());
        Assert.Equal("http://localhost/api/tracks?ordering=name&pageSize=2&page=2", first.GetProperty("next").GetString());
        Assert.Equal("http://localhost/api/tracks?ordering=name&pageSize=2&page=1", second.GetProperty("previous").GetString());
        Assert.Null(third.GetProperty("next").GetString());
        Assert.Equal(["Blue in Green", "Freddie", "Love_song", "So What", "Zebra \"x\" <é>"],
            new[] { first, second, third }.SelectMany(Names));
    }

    [Theory]
    [InlineData("unitPrice__gte=1", "So What|Zebra \"x\" <é>")]
    [InlineData("unitPrice__gt=0.99&unitPrice__lt=2", "So What")]
    [InlineData("unitPrice__lte=0.5", "Love_song")]
    [InlineData("unitPrice=0.99", "Blue in Green|Freddie")]
    [InlineData("unitPrice__in=0.5,1.99", "Love_song|So What")]
    [InlineData("genreId__isNull=true", "Blue in Green")]
    [InlineData("genreId=1&genreId__isNull=false", "Love_song|Zebra \"x\" <é>")]
    [InlineData("genreId__in=1,77", "Love_song|Zebra \"x\" <é>")]
    [InlineData("name__contains=BLUE", "Blue in Green")]
    [InlineData("name__startsWith=f", "Freddie")]
    [InlineData("name__contains=e_s", "Love_song")]
    [InlineData("name__contains=%25", "")]
    [InlineData("medium=vinyl", "So What|Zebra \"x\" <é>")]
    [InlineData("medium__in=vinyl,compactDisc", "So What|Zebra \"x\" <é>")]
    [InlineData("explicit=true", "")]
    [InlineData("addedAt__gte=2026-01-31T12:00:00Z&name=Freddie", "Freddie")]
    [InlineData("addedAt__gt=2026-01-31T12:00:00Z", "")]
    [InlineData("addedAt__lt=2026-01-31T14:00:00%2B01:00&name=Freddie", "Freddie")]
    [InlineData("localTime__lte=2026-01-31T12:00:00&name=Freddie", "Freddie")]
    [InlineData("localTime__in=2026-01-31T12:00:00Z&name=Freddie", "Freddie")]
    [InlineData("album__title=Love 100%25", "Love_song|Zebra \"x\" <é>")]
    [InlineData("album__releasedOn__lt=1960-01-01", "Blue in Green|Freddie|So What")]
    [InlineData("album__releasedOn__isNull=true", "Love_song|Zebra \"x\" <é>")]
    [InlineData("search=love", "Love_song|Zebra \"x\" <é>")]
    [InlineData("search=blue so", "So What")]
    [InlineData("search=100%25", "Love_song|Zebra \"x\" <é>")]
    [InlineData("search=' or 1=1 --", "")]
    public async Task A_filter_finds_its_rows(string query, string names)
    {
        var page = await shop.GetAsync($"/api/tracks?ordering=name&{query}");

        Assert.Equal(names, string.Join("|", Names(page)));
        Assert.Equal(Names(page).Count(), page.GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("-unitPrice,name", "Zebra \"x\" <é>|So What|Blue in Green|Freddie|Love_song")]
    [InlineData("unitPrice,-name", "Love_song|Freddie|Blue in Green|So What|Zebra \"x\" <é>")]
    [InlineData("album__releasedOn,-name", "So What|Freddie|Blue in Green|Zebra \"x\" <é>|Love_song")]
    public async Task An_ordering_is_by_several_members(string ordering, string names)
    {
        var page = await shop.GetAsync($"/api/tracks?pageSize=10&ordering={ordering}");

        Assert.Equal(names, string.Join("|", Names(page)));
    }

    [Fact]
    public async Task Rows_that_are_equal_in_the_ordering_stand_by_key()
    {
        var page = await shop.GetAsync("/api/tracks?unitPrice=0.99&ordering=-unitPrice");

        Assert.Equal(["Freddie", "Blue in Green"], Names(page));
    }

    [Fact]
    public async Task A_row_is_written_as_System_Text_Json_would_write_its_object()
    {
        var response = await shop.Client.GetAsync("/api/tracks/5");

        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(
            """{"id":5,"name":"Zebra \"x\" <é>","album":"Love 100%","unitPrice":2.50,"genreId":1,"medium":"vinyl","explicit":false,"addedAt":"2026-01-31T12:00:00Z"}""",
            await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_projection_that_is_more_than_columns_is_made_by_EF()
    {
        var list = await shop.Client.GetStringAsync("/api/albums?ordering=-title");
        var one = await shop.Client.GetStringAsync("/api/albums/1");

        Assert.Equal(
            """{"id":1,"title":"Kind of Blue","tracks":["So What","Freddie","Blue in Green"],"shout":"KIND OF BLUE!","length":12}""", one);
        Assert.EndsWith($$"""[{"id":2,"title":"Love 100%","tracks":["Love_song","Zebra \"x\" <é>"],"shout":"LOVE 100%!","length":9},{{one}}]}""", list);
    }

    [Fact]
    public async Task A_key_may_be_text()
    {
        var label = await shop.GetAsync("/api/labels/a%20b");

        Assert.Equal("With space", label.GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_known_ETag_is_answered_with_304_and_no_body()
    {
        var first = await shop.Client.GetAsync("/api/tracks/1");
        var again = await shop.SendAsync("GET", "/api/tracks/1", headers: ("If-None-Match", $"\"other\", {first.Headers.ETag}"));
        var other = await shop.SendAsync("GET", "/api/tracks/1", headers: ("If-None-Match", "\"other\""));

        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Equal(first.Headers.ETag, again.Headers.ETag);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task HEAD_answers_as_GET_without_the_body()
    {
        var get = await shop.Client.GetAsync("/api/tracks/1");
        var head = await shop.SendAsync("HEAD", "/api/tracks/1");

        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_caller_sees_the_rows_of_its_scope_only()
    {
        var list = await shop.SendAsync("GET", "/api/own", headers: ("X-Owner", "ada"));
        var own = await shop.SendAsync("GET", "/api/own/1", headers: ("X-Owner", "ada"));
        var others = await shop.SendAsync("GET", "/api/own/2", headers: ("X-Owner", "ada"));

        Assert.Contains("\"count\":2", await list.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, others.StatusCode);
    }

    private static IEnumerable<string?> Names(System.Text.Json.JsonElement page) =>
        page.GetProperty("results").EnumerateArray().Select(t => t.GetProperty("name").GetString());
}
