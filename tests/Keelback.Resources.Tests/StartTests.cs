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

        var error = await Assert.ThrowsAsync<KeelbackException>(() => app.StartAsync());

        Assert.Equal(
            "KB1401: Resources without a policy: TrackResource (/api/tracks, /api/tracks/{id}); GenreResource (/v2/genres, /v2/genres/{id}). " +
            "Say who may call them: .RequireAuthorization(\"policy\"), or .AllowAnonymous() when everyone may.", error.Message);
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
        Throws<BadPages>("KB1404: BadPages has pages of 10 rows by default and 5 at most. Give a size of at least 1, and a max of at least the size.");
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

    private sealed class BadPages : Resource<Genre, GenreDto>
    {
        protected override void Configure(ResourceBuilder<Genre, GenreDto> r) =>
            r.Read(g => new GenreDto(g.Id, g.Name)).Page(size: 10, max: 5);
    }
}
