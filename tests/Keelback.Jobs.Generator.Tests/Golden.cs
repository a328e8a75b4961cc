using System.Runtime.CompilerServices;

namespace Keelback.Jobs.Generator.Tests;

/// <summary>Compares with an approved file; <c>./dev accept</c> approves what is.</summary>
internal static class Golden
{
    public static void Check(string name, string actual, [CallerFilePath] string here = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(here)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("KEELBACK_ACCEPT") == "1") File.WriteAllText(file, actual);

        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }
}
