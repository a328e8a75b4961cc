using System.Text.Json;
using Keelback.Resources.Tests.Shop;

namespace Keelback.Resources.Tests;

public sealed class OpenApiTests(ShopApp shop) : IClassFixture<ShopApp>
{
    [Fact]
    public async Task Every_verb_of_every_resource_is_described()
    {
        var paths = (await DocumentAsync()).GetProperty("paths");

        string Verbs(string path) => string.Join(" ", paths.GetProperty(path).EnumerateObject().Select(o => o.Name).Order());
        foreach (var path in new[] { "tracks", "own", "genres", "albums", "labels", "notes" })
        {
            Assert.Equal("get post", Verbs($"/api/{path}"));
            Assert.Equal("delete get patch", Verbs($"/api/{path}/{{id}}"));
        }
    }

    [Fact]
    public async Task A_list_tells_every_key_that_it_takes()
    {
        var parameters = (await DocumentAsync()).GetProperty("paths").GetProperty("/api/tracks").GetProperty("get").GetProperty("parameters");

        var byName = parameters.EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!);
        Assert.Superset(
            new HashSet<string> { "unitPrice", "unitPrice__in", "unitPrice__gte", "genreId__isNull", "name__contains", "album__title", "search", "ordering", "page", "pageSize" },
            byName.Keys.ToHashSet());
        Assert.DoesNotContain("secret", byName.Keys);
        Assert.Equal("10", byName["pageSize"].GetProperty("schema").GetProperty("maximum").GetRawText());
        Assert.Equal("array", byName["genreId__in"].GetProperty("schema").GetProperty("type").GetString());
        Assert.False(byName["genreId__in"].GetProperty("explode").GetBoolean());
        Assert.Equal(["digital", "vinyl", "compactDisc"], byName["medium"].GetProperty("schema").GetProperty("enum").EnumerateArray().Select(e => e.GetString()));
    }

    [Fact]
    public async Task A_body_tells_what_is_required_and_what_its_columns_hold()
    {
        var document = await DocumentAsync();
        var create = Body(document, "/api/tracks", "post");
        var update = Body(document, "/api/tracks/{id}", "patch");

        Assert.Equal(["albumId", "name", "unitPrice"], create.GetProperty("required").EnumerateArray().Select(r => r.GetString()!).Order());
        Assert.Equal(20, create.GetProperty("properties").GetProperty("name").GetProperty("maxLength").GetInt32());
        Assert.False(create.GetProperty("additionalProperties").GetBoolean());
        Assert.False(update.TryGetProperty("required", out var required) && required.GetArrayLength() > 0);
        Assert.Equal(20, update.GetProperty("properties").GetProperty("name").GetProperty("maxLength").GetInt32());
    }

    [Fact]
    public async Task What_goes_wrong_is_described_too()
    {
        var responses = (await DocumentAsync()).GetProperty("paths").GetProperty("/api/genres/{id}").GetProperty("patch").GetProperty("responses");

        Assert.Equal(["200", "400", "404", "409", "412", "413", "415", "428"], responses.EnumerateObject().Select(r => r.Name).Order());
        Assert.Equal("#/components/schemas/Problem",
            responses.GetProperty("409").GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("$ref").GetString());
    }

    [Fact]
    public async Task Every_reference_leads_somewhere()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");

        var references = References(document).Distinct().ToList();
        Assert.NotEmpty(references);
        Assert.All(references, r => Assert.True(schemas.TryGetProperty(r["#/components/schemas/".Length..], out _), r));
    }

    private async Task<JsonElement> DocumentAsync() => await shop.GetAsync("/openapi/v1.json");

    private static JsonElement Body(JsonElement document, string path, string verb)
    {
        var reference = document.GetProperty("paths").GetProperty(path).GetProperty(verb)
            .GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!;
        return document.GetProperty("components").GetProperty("schemas").GetProperty(reference["#/components/schemas/".Length..]);
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p =>
            p.Name == "$ref" && p.Value.ValueKind == JsonValueKind.String ? [p.Value.GetString()!] : References(p.Value)),
        _ => [],
    };
}
