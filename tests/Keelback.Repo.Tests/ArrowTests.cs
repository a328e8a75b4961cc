using System.Xml.Linq;

namespace Keelback.Repo.Tests;

/// <summary>
/// Arrows point down only:
/// <code>
///   Testing
///      |
///   Keelback
///    |     \
///    |      Ops  (also on Web)
///    |       |
///   Resources  Jobs     Data.Design
///    |   \    /         /
///   Web    Data  ------
///      \   /
///     Postgres
/// </code>
/// </summary>
public class ArrowTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Keelback.Postgres"] = ["Keelback.Postgres.Guardian"],
        ["Keelback.Postgres.Guardian"] = [],
        ["Keelback.Data"] = ["Keelback.Postgres"],
        ["Keelback.Data.Design"] = ["Keelback.Data", "Keelback.Postgres"],
        ["Keelback.Jobs"] = ["Keelback.Data", "Keelback.Postgres", "Keelback.Jobs.Generator", "Keelback.Jobs.CodeFixes"],
        ["Keelback.Jobs.CodeFixes"] = ["Keelback.Jobs.Generator"],
        ["Keelback.Jobs.Generator"] = [],
        ["Keelback.Web"] = ["Keelback.Postgres"],
        ["Keelback.Resources"] = ["Keelback.Web", "Keelback.Data", "Keelback.Postgres"],
        ["Keelback.Ops"] = ["Keelback.Jobs", "Keelback.Web", "Keelback.Postgres"],
        ["Keelback"] = ["Keelback.Resources", "Keelback.Ops", "Keelback.Jobs", "Keelback.Web", "Keelback.Data", "Keelback.Postgres"],
        ["Keelback.Testing"] =
            ["Keelback", "Keelback.Resources", "Keelback.Ops", "Keelback.Jobs", "Keelback.Web", "Keelback.Data", "Keelback.Postgres"],
    };

    public static TheoryData<string> Packages => [.. Repo.Packages];

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_refers_only_to_those_below_it(string package)
    {
        Assert.True(s_allowed.TryGetValue(package, out var allowed), $"{package} has no place in the picture above.");

        var referenced = XDocument.Load(Repo.PathTo("src", package, package + ".csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.Empty(referenced.Except(allowed));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_has_a_readme_and_stands_in_the_solution(string package)
    {
        Assert.Contains($"src/{package}/{package}.csproj", Repo.Read("Keelback.slnx"));
        Assert.True(Repo.RidesInAnother(package) || File.Exists(Repo.PathTo("src", package, "README.md")),
            $"src/{package}/README.md is missing.");
    }
}
