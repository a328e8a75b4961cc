using System.Reflection;
using System.Runtime.CompilerServices;

namespace Keelback.Repo.Tests;

public class NamespaceTests
{
    // Words of every package, which only happen to live in the lowest one.
    private static readonly string[] s_shared =
        ["FieldError", "Finding", "FindingLevel", "Findings", "ICheck", "IMovableClock", "KeelbackBuilder", "KeelbackException", "NearestName"];

    public static TheoryData<string> Packages => [.. Repo.Packages.Where(package => !Repo.RidesInAnother(package))];

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_type_lives_in_the_namespace_of_its_package_and_an_extension_may_live_in_Keelback(string package)
    {
        var elsewhere =
            from type in Assembly.Load(package).GetTypes()
            where !type.IsNested && !type.IsDefined(typeof(CompilerGeneratedAttribute)) && type.Namespace?.StartsWith("Keelback") == true
            where type.Namespace != package
            where type.Namespace != "Keelback" || !(type.IsDefined(typeof(ExtensionAttribute)) || s_shared.Contains(type.Name))
            select type.FullName;

        Assert.Empty(elsewhere);
    }
}
