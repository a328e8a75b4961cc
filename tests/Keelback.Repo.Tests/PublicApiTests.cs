using System.Reflection;

namespace Keelback.Repo.Tests;

public class PublicApiTests
{
    public static TheoryData<string> Packages =>
        [.. Repo.Packages.Where(package => !Repo.RidesInAnother(package))];

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_public_api_is_the_approved_one(string package)
    {
        var listing = PublicApi.Listing(Assembly.Load(package));
        var approved = Repo.PathTo("tests", "Keelback.Repo.Tests", "Api", package + ".txt");
        if (Repo.Accepting) File.WriteAllText(approved, listing);

        Assert.True(File.Exists(approved), $"No approved listing for {package}; look at the change, then ./dev accept.");
        Assert.Equal(File.ReadAllText(approved).ReplaceLineEndings("\n"), listing);
    }
}
