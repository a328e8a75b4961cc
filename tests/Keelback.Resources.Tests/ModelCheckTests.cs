using Keelback.Resources.Tests.Shop;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources.Tests;

/// <summary>What a resource says and its model does not know is told by the checks, all at once.</summary>
public sealed class ModelCheckTests
{
    [Fact]
    public async Task Mistakes_against_the_model_are_found_before_the_first_request()
    {
        await using var database = await TestDatabase.CreateAsync(ShopApp.Template);
        await using var app = App(builder => ShopApp.AddShop(builder, database.DataSource));
        app.MapResource<StrayResource>("/strays").AllowAnonymous();
        app.MapResource<KeylessResource>("/keyless").AllowAnonymous();
        app.MapResource<MisspeltResource>("/misspelt").AllowAnonymous();
        app.MapResource<TrackResource>("/tracks").AllowAnonymous();

        var findings = await CheckAsync(app);

        Assert.Equal(
            [
                "KB1408: StrayResource is about Stray, which the DbContext does not know as an entity. Add it to the model.",
                "KB1409: KeylessResource is about Pair, whose primary key is not one int, long, Guid or string. " +
                    "Such rows have no address of the form /{id}.",
                "KB1410: MisspeltResource writes MisspeltInput, whose member 'Titel' is no mapped member of Album. " +
                    "Did you mean 'Title'? Name it as the entity does, or take it out.",
                "KB1411: MisspeltResource writes MisspeltInput, whose member 'ReleasedOn' is a String; the entity's is a DateOnly. " +
                    "Give both the same type.",
            ],
            findings);
    }

    [Fact]
    public async Task A_resource_without_a_context_is_found()
    {
        await using var app = App(builder => new KeelbackBuilder(builder).AddResources());
        app.MapResource<GenreResource>("/genres").AllowAnonymous();

        var findings = await CheckAsync(app);

        Assert.Equal(
            ["KB1412: GenreResource finds no DbContext in the request's services. Call AddKeelback<TDb>(), or AddData<TDb>() on a KeelbackBuilder."],
            findings);
    }

    [Fact]
    public void A_filter_that_no_query_could_ask_is_told_when_it_is_mapped()
    {
        using var app = App(builder => new KeelbackBuilder(builder).AddResources());

        var error = Assert.Throws<KeelbackException>(() => app.MapResource<InitialResource>("/initials"));

        Assert.Equal("KB1414: InitialResource's filter 'initial' is a Char, which no query value can be read into. " +
            "Filter by a string, number, bool, enum, Guid, date or time, or take the filter out.", error.Message);
    }

    private static async Task<IEnumerable<string>> CheckAsync(WebApplication app)
    {
        var findings = new Findings();
        foreach (var check in app.Services.GetServices<ICheck>().Where(c => c.AtStart)) await check.RunAsync(findings, default);
        return findings.All.Select(f => $"{f.Code}: {f.Message}");
    }

    private static WebApplication App(Action<WebApplicationBuilder> add)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        add(builder);
        return builder.Build();
    }

    private sealed class Stray
    {
        public int Id { get; set; }

        public char Initial { get; set; }
    }

    private sealed record StrayDto(int Id);

    private sealed class StrayResource : Resource<Stray, StrayDto>
    {
        protected override void Configure(ResourceBuilder<Stray, StrayDto> r) => r.Read(s => new(s.Id)).Write<StrayDto>();
    }

    private sealed class InitialResource : Resource<Stray, StrayDto>
    {
        protected override void Configure(ResourceBuilder<Stray, StrayDto> r) => r.Read(s => new(s.Id)).Filter(s => s.Initial);
    }

    private sealed class KeylessResource : Resource<Pair, StrayDto>
    {
        protected override void Configure(ResourceBuilder<Pair, StrayDto> r) => r.Read(p => new(p.Left));
    }

    private sealed record MisspeltInput(string Titel, string? ReleasedOn);

    private sealed class MisspeltResource : Resource<Album, AlbumInput>
    {
        protected override void Configure(ResourceBuilder<Album, AlbumInput> r) => r
            .Read(a => new(a.Title, a.ReleasedOn))
            .Write<MisspeltInput>();
    }
}
