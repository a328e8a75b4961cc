using System.Text.RegularExpressions;
using Keelback.Testing;

namespace RecordStore.Tests;

public sealed partial class HomeTests : KeelbackTest<Program>
{
    [Fact]
    public async Task Every_link_of_the_first_page_leads_somewhere()
    {
        await Make<Track>();

        var page = await Client.GetStringAsync("/");
        Assert.Contains("<strong>1</strong> tracks", page);
        Assert.Contains("<code>Receipts.Send</code>", page);

        var links = Link().Matches(page).Select(m => m.Groups[1].Value.Replace("&amp;", "&")).Where(link => link.StartsWith('/')).Distinct().ToList();
        Assert.Contains("/openapi/v1.json", links);
        foreach (var link in links) await (await Client.GetAsync(link)).ShouldBe(200);
    }

    [Fact]
    public async Task The_page_needs_no_exception_from_the_policy()
    {
        var response = await Client.GetAsync("/");
        var page = await response.Content.ReadAsStringAsync();

        Assert.Contains("default-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("<style", page);
        Assert.DoesNotContain("style=", page);
    }

    [GeneratedRegex("href=\"([^\"]+)\"")]
    private static partial Regex Link();
}
