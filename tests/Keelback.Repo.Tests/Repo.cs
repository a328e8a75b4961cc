namespace Keelback.Repo.Tests;

/// <summary>The checkout that these tests read.</summary>
internal static class Repo
{
    public static string Root { get; } = FindRoot();

    public static IEnumerable<string> Packages =>
        from project in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
        orderby project
        select Path.GetFileNameWithoutExtension(project);

    /// <summary>Has no NuGet package of its own, and so neither a README nor a public API.</summary>
    public static bool RidesInAnother(string package) =>
        package.EndsWith(".Generator") || package.EndsWith(".CodeFixes") || package.EndsWith(".Guardian");

    /// <summary>Set by <c>./dev accept</c>: approve what is, instead of comparing.</summary>
    public static bool Accepting => Environment.GetEnvironmentVariable("KEELBACK_ACCEPT") == "1";

    public static string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(PathTo(parts));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Keelback.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("Keelback.slnx is in no folder above the tests.");

        return folder.FullName;
    }
}
