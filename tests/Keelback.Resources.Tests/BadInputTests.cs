using Keelback.Resources.Tests.Shop;

namespace Keelback.Resources.Tests;

/// <summary>What is wrong with a request is answered with its place, and leaves no trace.</summary>
public sealed class BadInputTests(ShopApp shop) : IClassFixture<ShopApp>
{
    private const string Right = """ "name": "x", "albumId": 1, "unitPrice": 1 """;

    [Theory]
    // wrong types
    [InlineData("unitPrice=cheap", "unitPrice type")]
    [InlineData("unitPrice__gte=1,5", "unitPrice__gte type")]
    [InlineData("unitPrice__in=1,,2", "unitPrice__in type")]
    [InlineData("genreId=1.5", "genreId type")]
    [InlineData("genreId__isNull=yes", "genreId__isNull type")]
    [InlineData("explicit=1", "explicit type")]
    [InlineData("medium=1", "medium type")]
    [InlineData("medium=Vinyl", "medium type")]
    [InlineData("addedAt__lt=yesterday", "addedAt__lt type")]
    [InlineData("album__releasedOn__gt=1959-13-01", "album__releasedOn__gt type")]
    // missing values
    [InlineData("unitPrice=", "unitPrice type")]
    [InlineData("genreId__in=", "genreId__in type")]
    [InlineData("page=", "page range")]
    [InlineData("ordering=", "ordering unknown")]
    // unknown keys, and members that may not be asked about
    [InlineData("colour=red", "colour unknown")]
    [InlineData("secret=s3cret", "secret unknown")]
    [InlineData("name__gt=a", "name__gt unknown")]
    [InlineData("owner__contains=a&id=1", "owner__contains unknown", "id unknown")]
    [InlineData("ordering=secret", "ordering unknown")]
    [InlineData("ordering=-name,plays,-", "ordering unknown", "ordering unknown")]
    [InlineData("filter[a][b]=1", "filter[a][b] unknown")]
    [InlineData("Name=x", "Name unknown")]
    [InlineData("name'--=x", "name'-- unknown")]
    // huge pages
    [InlineData("page=0", "page range")]
    [InlineData("page=-1", "page range")]
    [InlineData("page=99999999999999999999", "page range")]
    [InlineData("page=2147483647", "page range")]
    [InlineData("pageSize=11", "pageSize range")]
    [InlineData("pageSize=1000000000", "pageSize range")]
    [InlineData("pageSize=0", "pageSize range")]
    // duplicate keys
    [InlineData("genreId=1&genreId=2", "genreId duplicate")]
    [InlineData("page=1&page=1", "page duplicate")]
    [InlineData("search=a&search=b", "search duplicate")]
    [InlineData("ordering=name,-name", "ordering duplicate")]
    // null bytes
    [InlineData("name=a%00b", "name nul")]
    [InlineData("search=%00", "search nul")]
    [InlineData("name__contains=%00", "name__contains nul")]
    [InlineData("na%00me=x", "na\uFFFDme unknown")]
    // 2^63 and beyond
    [InlineData("genreId=9223372036854775808", "genreId type")]
    [InlineData("genreId__in=1,2147483648", "genreId__in type")]
    [InlineData("unitPrice=79228162514264337593543950336", "unitPrice type")]
    [InlineData("unitPrice=1e400", "unitPrice type")]
    // all at once
    [InlineData("genreId=x&colour=red&page=0", "genreId type", "colour unknown", "page range")]
    public async Task A_list(string query, params string[] errors)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync("GET", "/api/tracks?" + query);

        await answer.ShouldBeProblem(400, errors);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("GET", "/api/tracks?page=4", 404, "page range")]
    [InlineData("GET", "/api/tracks?page=100000", 404, "page range")]
    [InlineData("GET", "/api/tracks/999", 404, "id notFound")]
    [InlineData("GET", "/api/tracks/-1", 404, "id notFound")]
    [InlineData("GET", "/api/tracks/abc", 404, "id type")]
    [InlineData("GET", "/api/tracks/1.0", 404, "id type")]
    [InlineData("GET", "/api/tracks/9223372036854775808", 404, "id type")]
    [InlineData("GET", "/api/labels/none", 404, "id notFound")]
    [InlineData("GET", "/api/notes/123", 404, "id type")]
    [InlineData("GET", "/api/tracks/1?expand=all", 400, "expand unknown")]
    [InlineData("GET", "/api/tracks/1?page=1&a%00b=1", 400, "page unknown", "a\uFFFDb unknown")]
    [InlineData("DELETE", "/api/tracks/999", 404, "id notFound")]
    [InlineData("DELETE", "/api/tracks/abc", 404, "id type")]
    [InlineData("DELETE", "/api/tracks/9223372036854775808", 404, "id type")]
    [InlineData("DELETE", "/api/tracks/1?force=true", 400, "force unknown")]
    [InlineData("PUT", "/api/tracks/1", 405)]
    [InlineData("POST", "/api/tracks/1", 405)]
    [InlineData("DELETE", "/api/tracks", 405)]
    [InlineData("GET", "/api/trucks", 404)]
    public async Task An_address(string method, string path, int status, params string[] errors)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync(method, path);

        await answer.ShouldBeProblem(status, errors);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    // wrong types
    [InlineData("""{"name": 5, "albumId": "1", "unitPrice": true}""", "/name type", "/albumId type", "/unitPrice type")]
    [InlineData("""{"name": ["x"], "albumId": {}, "unitPrice": "1.0"}""", "/name type", "/albumId type", "/unitPrice type")]
    [InlineData("""{"name": "x", "albumId": 1.5, "unitPrice": 1, "addedAt": "soon"}""", "/albumId type", "/addedAt format")]
    [InlineData("{" + Right + """, "medium": 1}""", "/medium type")]
    [InlineData("{" + Right + """, "medium": "shellac"}""", "/medium enum")]
    [InlineData("[]", " type")]
    [InlineData("5", " type")]
    [InlineData("null", " null")]
    // missing
    [InlineData("{}", "/name required", "/albumId required", "/unitPrice required")]
    [InlineData("""{"name": null, "albumId": null, "genreId": null, "unitPrice": null}""", "/name null", "/albumId null", "/unitPrice null")]
    [InlineData("", " required")]
    // unknown members, and members that may not be written
    [InlineData("{" + Right + """, "genreId": null, "colour": "red"}""", "/colour unknown")]
    [InlineData("{" + Right + """, "genreId": null, "id": 7, "owner": "me", "secret": "x", "xmin": 1}""", "/id unknown", "/owner unknown", "/secret unknown", "/xmin unknown")]
    [InlineData("{" + Right + """, "genreId": null, "$type": "x", "album": {"title": "x"}, "Name": "x"}""", "/$type unknown", "/album unknown", "/Name unknown")]
    // rules, together with wrong types
    [InlineData("""{"name": "123456789012345678901", "albumId": 1, "genreId": null, "unitPrice": 1001}""", "/name length", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": "x", "genreId": null, "unitPrice": -1}""", "/albumId type", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 0.999}""", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 0, "explicit": true}""", "/unitPrice value")]
    // broken JSON
    [InlineData("""{"name": "x", """, " json")]
    [InlineData("""{"name": "x"} {}""", " json")]
    [InlineData("""{'name': 'x'}""", " json")]
    [InlineData("""{"name": "x",}""", " json")]
    [InlineData("""{"name": NaN}""", " json")]
    [InlineData("\u0000", " json")]
    // duplicate members
    [InlineData("{" + Right + """, "genreId": null, "name": "y"}""", "/name duplicate")]
    [InlineData("""{"albumId": 1, "albumId": 1, "name": "x", "unitPrice": 1, "unitPrice": 2, "genreId": 1}""", "/albumId duplicate", "/unitPrice duplicate")]
    [InlineData("{" + Right + """, "genreId": null, "n\u0061me": "y"}""", "/name duplicate")]
    // null bytes, half characters
    [InlineData("""{"name": "a\u0000b", "albumId": 1, "genreId": null, "unitPrice": 1}""", "/name nul")]
    [InlineData("""{"name": "\u0000", "albumId": 1, "genreId": null, "unitPrice": 1}""", "/name nul")]
    [InlineData("{" + Right + """, "genreId": null, "a\u0000b": 1}""", "/a\uFFFDb unknown")]
    [InlineData("""{"name": "\ud800", "albumId": 1, "genreId": null, "unitPrice": 1}""", "/name text")]
    // 2^63 and beyond
    [InlineData("""{"name": "x", "albumId": 9223372036854775808, "genreId": 2147483648, "unitPrice": 1}""", "/albumId range", "/genreId range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 1e400}""", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 79228162514264337593543950336}""", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 123456789.00}""", "/unitPrice range", "/unitPrice range")]
    // rules whose own arithmetic is narrower than the number
    [InlineData("""{"name": 1, "albumId": 1, "genreId": null, "unitPrice": 1e20}""", "/name type", "/unitPrice range", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 1e20}""", "/unitPrice range", "/unitPrice range")]
    [InlineData("""{"name": "x", "albumId": 1, "genreId": null, "unitPrice": 1000.4}""", "/unitPrice range")]
    public async Task A_new_row(string body, params string[] errors)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync("POST", "/api/tracks", body);

        await answer.ShouldBeProblem(400, errors);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("""{"name": 5, "unitPrice": "x", "explicit": "no"}""", "/name type", "/unitPrice type", "/explicit type")]
    [InlineData("""{"name": null}""", "/name null")]
    [InlineData("""{"colour": "red", "id": 1, "unitprice": 1}""", "/colour unknown", "/id unknown", "/unitprice unknown")]
    [InlineData("""{"name": "123456789012345678901", "unitPrice": -1}""", "/name length", "/unitPrice range")]
    [InlineData("""{"name": "x", "name": "x"}""", "/name duplicate")]
    [InlineData("""{"name": "\u0000"}""", "/name nul")]
    [InlineData("""{"genreId": 9223372036854775808}""", "/genreId range")]
    [InlineData("""{"name": """, " json")]
    [InlineData("[1]", " type")]
    [InlineData("", " required")]
    [InlineData("""{"name": null, "unitPrice": 1e20}""", "/name null", "/unitPrice range", "/unitPrice range")]
    public async Task A_change(string body, params string[] errors)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync("PATCH", "/api/tracks/1", body);

        await answer.ShouldBeProblem(400, errors);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Fact]
    public async Task A_change_that_the_type_itself_does_not_survive()
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync("PATCH", "/api/notes/0196f0a3-7e2b-7c4e-9b0f-3f1f6a0e7d11", """{"weight": 2}""");

        await answer.ShouldBeProblem(400, " value");
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("PATCH", "\"a\",b")]
    [InlineData("PATCH", "abc")]
    [InlineData("PATCH", "\"abc")]
    [InlineData("PATCH", "\"a\" \"b\"")]
    [InlineData("DELETE", "1")]
    [InlineData("DELETE", "W/")]
    [InlineData("DELETE", "*, x")]
    public async Task A_broken_If_Match(string method, string header)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync(method, "/api/tracks/1", method == "PATCH" ? """{"plays": 9}""" : null, headers: ("If-Match", header));

        await answer.ShouldBeProblem(400, "If-Match format");
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("POST", "/api/tracks", "text/plain")]
    [InlineData("POST", "/api/tracks", "application/x-www-form-urlencoded")]
    [InlineData("POST", "/api/tracks", "application/json; charset=utf-16")]
    [InlineData("POST", "/api/tracks", "application/merge-patch+json")]
    [InlineData("POST", "/api/tracks", "")]
    [InlineData("PATCH", "/api/tracks/1", "text/json")]
    [InlineData("PATCH", "/api/tracks/1", "application/json-patch+json")]
    [InlineData("PATCH", "/api/tracks/1", "nonsense")]
    public async Task A_wrong_content_type(string method, string path, string type)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync(method, path, """{"plays": 9}""", type);

        await answer.ShouldBeProblem(415, "Content-Type contentType");
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("GET", "/api/tracks", "text/html")]
    [InlineData("GET", "/api/tracks/1", "application/xml, text/*")]
    [InlineData("DELETE", "/api/tracks/1", "application/json;q=0")]
    public async Task An_Accept_without_JSON(string method, string path, string accept)
    {
        var answer = await shop.SendAsync(method, path, headers: ("Accept", accept));

        await answer.ShouldBeProblem(406, "Accept accept");
    }

    [Fact]
    public async Task A_body_that_is_too_deep_too_large_or_no_text()
    {
        var before = await shop.ChecksumAsync();

        var deep = await shop.SendAsync("POST", "/api/tracks", """{"name":""" + new string('[', 100_000));
        var large = await shop.SendAsync("POST", "/api/tracks", $$"""{"name": "{{new string('x', 1024 * 1024)}}"}""");
        var many = await shop.SendAsync("POST", "/api/tracks", "{" + string.Join(",", Enumerable.Range(0, 50_000).Select(i => $"\"m{i}\":1")) + "}");

        await deep.ShouldBeProblem(400, "/name depth");
        await large.ShouldBeProblem(413, " size");
        Assert.Equal(400, (int)many.StatusCode);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Theory]
    [InlineData("POST", "/api/tracks", """{"name": "x", "albumId": 999, "genreId": null, "unitPrice": 1}""", 400, "/albumId unknown")]
    [InlineData("PATCH", "/api/tracks/1", """{"genreId": 999}""", 400, "/genreId unknown")]
    [InlineData("PATCH", "/api/tracks/1", """{"plays": 1000000}""", 400, "/plays check")]
    [InlineData("POST", "/api/genres", """{"name": "Rock"}""", 409, "/name unique")]
    [InlineData("DELETE", "/api/albums/1", null, 409, " in_use")]
    public async Task What_the_database_refuses(string method, string path, string? body, int status, params string[] errors)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync(method, path, body);

        await answer.ShouldBeProblem(status, errors);
        Assert.Equal(before, await shop.ChecksumAsync());
    }
}
