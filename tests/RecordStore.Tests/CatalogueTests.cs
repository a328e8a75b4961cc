using System.Text.RegularExpressions;
using Keelback.Testing;
using RecordStore.Demo;

namespace RecordStore.Tests;

/// <summary>The store that is made up for who has no data.</summary>
public sealed partial class CatalogueTests : KeelbackTest<Program>
{
    [Theory, InlineData("README.md"), InlineData("docs/guides/start/first-app.md")]
    public async Task What_the_documentation_asks_for_is_there(string page)
    {
        Assert.True(await new Catalogue(Get<StoreDb>()).FillAsync(default));
        var paths = Curl().Matches(await File.ReadAllTextAsync(PathTo(page))).Select(m => m.Groups[1].Value).ToList();

        Assert.NotEmpty(paths);
        foreach (var path in paths)
        {
            var answer = await (await Client.GetAsync(path)).ReadAsync<Answer>();
            Assert.True(answer.Count > 0, $"The made-up store has nothing at {path}.");
        }
    }

    private static string PathTo(string page)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Keelback.slnx"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, page);
    }

    [GeneratedRegex(@"curl '?localhost:8000(/api/[^'\s]+)")]
    private static partial Regex Curl();

    private sealed record Answer(int Count);
}
