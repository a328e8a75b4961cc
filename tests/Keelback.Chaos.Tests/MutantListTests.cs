namespace Keelback.Chaos.Tests;

/// <summary>The planted bugs still have a place to be planted in.</summary>
public sealed class MutantListTests
{
    public static TheoryData<string> Names => [.. MutantList.All.Select(mutant => mutant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_text_that_a_bug_takes_the_place_of_stands_there_once(string name)
    {
        var mutant = MutantList.All.Single(m => m.Name == name);

        var parts = File.ReadAllText(Path.Combine(Root(), "src", mutant.File)).Split(mutant.From);

        Assert.Equal(2, parts.Length);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_function_that_a_bug_is_planted_in_is_not_made_anew_by_a_later_script(string name)
    {
        var mutant = MutantList.All.Single(m => m.Name == name);
        var file = Path.Combine(Root(), "src", mutant.File);
        if (Path.GetExtension(file) != ".sql") return;

        var before = File.ReadAllText(file).Split(mutant.From)[0];
        var function = before[before.LastIndexOf("function keelback.", StringComparison.Ordinal)..].Split('(')[0] + "(";

        var later = Directory.GetFiles(Path.GetDirectoryName(file)!).Where(other => string.CompareOrdinal(other, file) > 0);
        Assert.DoesNotContain(later, other => File.ReadAllText(other).Contains(function, StringComparison.Ordinal));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Keelback.slnx"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
