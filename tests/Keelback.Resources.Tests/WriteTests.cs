using System.Net;
using System.Text.Json;
using Keelback.Resources.Tests.Shop;

namespace Keelback.Resources.Tests;

public sealed class WriteTests(ShopApp shop) : IClassFixture<ShopApp>
{
    [Fact]
    public async Task A_created_row_is_answered_with_its_address_and_ETag()
    {
        var created = await shop.SendAsync("POST", "/api/tracks",
            """{"name": "New", "albumId": 1, "genreId": 2, "unitPrice": 1.50, "medium": "compactDisc", "addedAt": "2026-02-01T10:00:00+01:00"}""");
        var read = await shop.Client.GetAsync(created.Headers.Location);

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Matches("^/api/tracks/[0-9]+$", created.Headers.Location!.ToString());
        Assert.Equal(created.Headers.ETag, read.Headers.ETag);
        Assert.Contains(""" "unitPrice":1.50,"genreId":2,"medium":"compactDisc","explicit":false,"addedAt":"2026-02-01T09:00:00Z"}""".Trim(),
            await read.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_patch_changes_the_members_that_are_sent_and_no_others()
    {
        var patched = await shop.SendAsync("PATCH", "/api/tracks/2", """{"genreId": null, "unitPrice": 3}""", "application/merge-patch+json");

        var row = await patched.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        Assert.StartsWith("""{"id":2,"name":"Freddie","album":"Kind of Blue","unitPrice":3.00,"genreId":null,""", row);
        Assert.Equal("bob s3cret", await shop.SqlAsync<string>("select owner || ' ' || secret from tracks where id = 2"));
    }

    [Fact]
    public async Task A_rule_over_several_members_sees_those_that_a_patch_leaves_out()
    {
        await shop.SendAsync("PATCH", "/api/tracks/3", """{"explicit": true}""");

        var refused = await shop.SendAsync("PATCH", "/api/tracks/3", """{"unitPrice": 0}""");

        await refused.ShouldBeProblem(400, "/unitPrice value");
    }

    [Fact]
    public async Task A_deleted_row_is_gone()
    {
        var created = await shop.SendAsync("POST", "/api/labels", """{"code": "gone", "name": "Gone"}""");

        var deleted = await shop.SendAsync("DELETE", created.Headers.Location!.ToString());
        var again = await shop.SendAsync("DELETE", created.Headers.Location!.ToString());

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await again.ShouldBeProblem(404, "id notFound");
    }

    [Fact]
    public async Task A_row_is_changed_only_in_the_state_that_the_caller_has_seen()
    {
        var seen = (await shop.Client.GetAsync("/api/tracks/4")).Headers.ETag!.ToString();

        var first = await shop.SendAsync("PATCH", "/api/tracks/4", """{"plays": 1}""", headers: ("If-Match", seen));
        var second = await shop.SendAsync("PATCH", "/api/tracks/4", """{"plays": 2}""", headers: ("If-Match", seen));
        var deleted = await shop.SendAsync("DELETE", "/api/tracks/4", headers: ("If-Match", seen));
        var weak = await shop.SendAsync("PATCH", "/api/tracks/4", """{"plays": 2}""", headers: ("If-Match", "W/" + first.Headers.ETag));
        var any = await shop.SendAsync("PATCH", "/api/tracks/4", """{"plays": 3}""", headers: ("If-Match", "*"));

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.NotEqual(seen, first.Headers.ETag!.ToString());
        await second.ShouldBeProblem(412, "If-Match changed");
        await deleted.ShouldBeProblem(412, "If-Match changed");
        await weak.ShouldBeProblem(412, "If-Match changed");
        Assert.Equal(HttpStatusCode.OK, any.StatusCode);
    }

    [Fact]
    public async Task What_a_representation_takes_from_other_rows_is_part_of_its_state()
    {
        var seen = (await shop.Client.GetAsync("/api/tracks/5")).Headers.ETag!.ToString();
        await shop.SendAsync("PATCH", "/api/albums/2", """{"title": "Love 99%"}""");

        var refused = await shop.SendAsync("PATCH", "/api/tracks/5", """{"plays": 1}""", headers: ("If-Match", seen));

        await refused.ShouldBeProblem(412, "If-Match changed");
        await shop.SendAsync("PATCH", "/api/albums/2", """{"title": "Love 100%"}""");
    }

    [Fact]
    public async Task Of_many_writers_who_saw_one_state_one_wins()
    {
        var created = await shop.SendAsync("POST", "/api/genres", """{"name": "Raced"}""");
        var (path, seen) = (created.Headers.Location!.ToString(), created.Headers.ETag!.ToString());

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            shop.SendAsync("PATCH", path, $$"""{"name": "Raced {{i}}"}""", headers: ("If-Match", seen))));

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.OK);
        Assert.Equal(19, answers.Count(a => a.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    [Fact]
    public async Task A_resource_may_demand_If_Match()
    {
        var patch = await shop.SendAsync("PATCH", "/api/genres/1", """{"name": "Blind"}""");
        var delete = await shop.SendAsync("DELETE", "/api/genres/1");

        await patch.ShouldBeProblem(428, "If-Match required");
        await delete.ShouldBeProblem(428, "If-Match required");
    }

    [Fact]
    public async Task A_saved_row_can_be_refused_with_all_reasons()
    {
        var create = await shop.SendAsync("POST", "/api/own", """{"name": "forbidden", "albumId": 1, "owner": "ada"}""", headers: ("X-Owner", "ada"));
        var update = await shop.SendAsync("PATCH", "/api/own/1", """{"name": "taken"}""", headers: ("X-Owner", "ada"));

        await create.ShouldBeProblem(400, "/name forbidden");
        await update.ShouldBeProblem(400, "/name taken");
        Assert.Equal(0, await shop.SqlAsync<long>("select count(*) from tracks where name in ('forbidden', 'taken')"));
    }

    [Theory]
    [InlineData("POST", "/api/own", """{"name": "x", "albumId": 1, "owner": "bob"}""", 403)]
    [InlineData("PATCH", "/api/own/1", """{"owner": "bob"}""", 403)]
    [InlineData("PATCH", "/api/own/2", """{"name": "x"}""", 404)]
    [InlineData("DELETE", "/api/own/2", null, 404)]
    public async Task No_write_reaches_out_of_the_scope(string method, string path, string? body, int status)
    {
        var before = await shop.ChecksumAsync();

        var answer = await shop.SendAsync(method, path, body, headers: ("X-Owner", "ada"));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(before, await shop.ChecksumAsync());
    }

    [Fact]
    public async Task A_key_cannot_be_changed()
    {
        var changed = await shop.SendAsync("PATCH", "/api/labels/blue", """{"code": "red"}""");
        var same = await shop.SendAsync("PATCH", "/api/labels/blue", """{"code": "blue", "name": "Blue"}""");

        await changed.ShouldBeProblem(400, "/code readOnly");
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
    }

    [Fact]
    public async Task A_Guid_key_is_made_by_the_entity()
    {
        var created = await shop.SendAsync("POST", "/api/notes", """{"text": "hello", "weight": 0.1}""");

        var note = JsonElement.Parse(await created.Content.ReadAsStringAsync());
        Assert.NotEqual(Guid.Empty, note.GetProperty("id").GetGuid());
        Assert.Equal($"/api/notes/{note.GetProperty("id").GetGuid()}", created.Headers.Location!.ToString());
    }
}
