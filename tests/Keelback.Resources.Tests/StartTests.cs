using Keelback.Resources.Tests.Shop;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources.Tests;

public sealed class StartTests
{
    [Fact]
    public async Task Resources_that_nobody_decided_about_do_not_start()
    {
        await using var app = App();
        app.MapResource<TrackResource>("/api/tracks");
        app.MapGroup("/v2").MapResource<GenreResource>("/genres");
        app.MapResource<LabelResource>("/api/labels").RequireAuthorization();
        app.MapResource<NoteResource>("/api/notes").AllowAnonymous();
        app.MapGroup("/v3").RequireAuthorization().MapResource<AlbumResource>("/albums");
        app.MapGet("/mine", () => "the app's own endpoints are its own business");
        app.MapApiDocs();

        var error = await Assert.ThrowsAsync<KeelbackException>(() => app.StartAsync());

        Assert.Equal(
            "KB1401: Mapped without a policy: TrackResource (/api/tracks, /api/tracks/{id}); GenreResource (/v2/genres, /v2/genres/{id}); " +
            "the API description (/openapi/{documentName}.json). " +
            "Say who may call them: .RequireAuthorization(\"policy\"), or .AllowAnonymous() when everyone may.", error.Message);
    }

    [Fact]
    public async Task A_description_of_the_api_that_nobody_decided_about_does_not_start()
    {
        await using var undecided = App();
        undecided.MapGroup("/docs").MapApiDocs("/{documentName}.json");
        await using var decided = App();
        decided.MapApiDocs().AllowAnonymous();

        var error = await Assert.ThrowsAsync<KeelbackException>(() => undecided.StartAsync());
        await decided.StartAsync();

        Assert.Equal(
            "KB1401: Mapped without a policy: the API description (/docs/{documentName}.json). " +
            "Say who may call them: .RequireAuthorization(\"policy\"), or .AllowAnonymous() when everyone may.", error.Message);
        using var client = decided.GetTestClient();
        Assert.Equal(System.Net.HttpStatusCode.OK, (await client.GetAsync("/openapi/v1.json")).StatusCode);
    }

    [Fact]
    public async Task The_check_finds_the_same()
    {
        await using var app = App();
        app.MapResource<TrackResource>("/api/tracks");

        var findings = new Findings();
        foreach (var check in app.Services.GetServices<ICheck>()) await check.RunAsync(findings, default);

        var finding = Assert.Single(findings.All, f => f.Code != "KB1412");
        Assert.Equal(("KB1401", FindingLevel.Error), (finding.Code, finding.Level));
    }

    [Fact]
    public void A_mistake_in_a_resource_is_told_when_it_is_mapped()
    {
        using var app = App();

        void Throws<TResource>(string message)
            where TResource : Resource => Assert.Equal(message, Assert.Throws<KeelbackException>(() => app.MapResource<TResource>("/x")).Message);

        Throws<WithoutRead>("KB1403: WithoutRead has no projection. Call r.Read(row => new Dto(…)) in Configure.");
        Throws<FilteredTwice>("KB1405: FilteredTwice has two meanings for the query key 'name'. Give one of them another name.");
        Throws<RangedText>("KB1406: RangedText's filter 'name' is a String, which FilterOps.Range does not fit. " +
            "Range is for numbers, dates and times, Text for strings, Null for members that can be null.");
        Throws<FilteredBySum>("KB1407: FilteredBySum filters or orders by '(g.Name + g.Name)', which has no name of its own. Give a member, or a name.");
        Throws<Unmakeable>("KB1413: Unmakeable creates Seal, which has no constructor without parameters. Add one; it may be private.");
        Throws<BadPages>("KB1404: BadPages has pages of 10 rows by default and 5 at most. Give a size of at least 1, and a max of at least the size.");
    }

    [Fact]
    public void Without_the_package_among_the_services_nothing_is_mapped()
    {
        using var app = WebApplication.CreateBuilder().Build();

        var resource = Assert.Throws<KeelbackException>(() => app.MapResource<GenreResource>("/genres"));
        var description = Assert.Throws<KeelbackException>(() => app.MapApiDocs());

        const string WayOut = "but Keelback.Resources is not among the services. Call AddKeelback(), or AddResources() on a KeelbackBuilder.";
        Assert.Equal($"KB1402: GenreResource is mapped, {WayOut}", resource.Message);
        Assert.Equal($"KB1402: The API description is mapped, {WayOut}", description.Message);
    }

    private static WebApplication App()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        new KeelbackBuilder(builder).AddResources();
        return builder.Build();
    }

    private sealed class WithoutRead : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) => r.Page(1, 2);
    }

    private sealed class FilteredTwice : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) =>
            r.Read(g => new GenreDto(g.Id, g.Name)).Filter(g => g.Name).Filter(g => g.Name, FilterOps.Text);
    }

    private sealed class RangedText : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) =>
            r.Read(g => new GenreDto(g.Id, g.Name)).Filter(g => g.Name, FilterOps.Range);
    }

    private sealed class FilteredBySum : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) =>
            r.Read(g => new GenreDto(g.Id, g.Name)).Order(g => g.Name + g.Name);
    }

    private sealed class Seal(string text)
    {
        public int Id { get; set; }

        public string Text { get; set; } = text;
    }

    private sealed record SealInput(string Text);

    private sealed class Unmakeable : Resource<Seal, SealInput>
    {
        protected override void Configure(ResourceBuilder<Seal, SealInput> r) => r.Read(s => new(s.Text)).Create<SealInput>();
    }

    private sealed class BadPages : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) =>
            r.Read(g => new GenreDto(g.Id, g.Name)).Page(size: 10, max: 5);
    }
}
