using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Keelback.Chaos;

/// <summary>Plants each bug in a copy of the sources, builds what it touches, and demands that its suite fails.</summary>
/// <remarks>What was caught is kept in a file, with a hash of the mutated text: a second start goes on where the first ended.</remarks>
internal static class Mutants
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private static readonly string[] s_users = ["Keelback.Jobs.Tests", "Keelback.Chaos"];

    public static async Task<int> RunAsync(string[] names)
    {
        var chosen = MutantList.All.Where(m => names.Length == 0 || names.Any(name => m.Name.Contains(name, StringComparison.Ordinal))).ToList();
        var place = Path.GetFullPath(Path.Combine("artifacts", "chaos", "mutants"));
        var tree = Path.Combine(place, "tree");
        var kept = Path.Combine(place, "caught.txt");
        Directory.CreateDirectory(tree);
        await CopyAsync(tree);

        Console.WriteLine("mutants: building the copy as it is");
        foreach (var user in s_users)
            if (!await BuildAsync(tree, user is "Keelback.Chaos" ? $"chaos/{user}" : $"tests/{user}")) return Said($"mutants: {user} does not build as it is", 2);

        var caught = File.Exists(kept) ? (await File.ReadAllLinesAsync(kept)).ToHashSet() : [];
        var (good, sound) = (0, new Dictionary<string, bool>());
        foreach (var mutant in chosen)
        {
            var file = Path.Combine(tree, "src", mutant.File);
            var text = await File.ReadAllTextAsync(file);
            if (text.Split(mutant.From).Length != 2)
            {
                Console.WriteLine($"{mutant.Name}: does not apply any more; its text stands {text.Split(mutant.From).Length - 1} times in {mutant.File}");
                continue;
            }

            var mutated = text.Replace(mutant.From, mutant.To, StringComparison.Ordinal);
            var key = $"{mutant.Name} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(mutated + mutant.Suite)))[..16]}";
            if (caught.Contains(key))
            {
                good++;
                Console.WriteLine($"{mutant.Name}: caught before");
                continue;
            }

            // A suite that fails without the bug has caught nothing.
            if (!sound.TryGetValue(mutant.Suite, out var isSound))
                sound[mutant.Suite] = isSound = await PassesAsync(tree, place, mutant.Suite, "as it is") is true;
            if (!isSound)
            {
                Console.WriteLine($"{mutant.Name}: '{mutant.Suite}' fails without the bug");
                continue;
            }

            var began = Stopwatch.GetTimestamp();
            var passes = await MutatedAsync(tree, place, mutant, file, text, mutated);
            var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Console.WriteLine($"{mutant.Name}: {(passes switch { false => "caught", true => "SURVIVED", _ => "does not build" })} ({took:0} s, {mutant.Suite})");
            if (passes is not false) continue;

            good++;
            await File.AppendAllTextAsync(kept, key + "\n");
        }

        return Said($"{good} of {chosen.Count} caught", good == chosen.Count ? 0 : 1);
    }

    /// <summary>Null: it does not build.</summary>
    private static async Task<bool?> MutatedAsync(string tree, string place, Mutant mutant, string file, string text, string mutated)
    {
        await File.WriteAllTextAsync(file, mutated);
        try
        {
            if (!await BuildAsync(tree, $"src/{mutant.Project}")) return null;
            Spread(tree, mutant.Project);
            return await PassesAsync(tree, place, mutant.Suite, mutant.Name);
        }
        finally
        {
            await File.WriteAllTextAsync(file, text);
            if (await BuildAsync(tree, $"src/{mutant.Project}")) Spread(tree, mutant.Project);
        }
    }

    private static async Task<bool> PassesAsync(string tree, string place, string suite, string name)
    {
        var log = Path.Combine(place, $"{name.Replace(' ', '-')}.log");
        string[] command;
        if (suite.StartsWith("chaos: ", StringComparison.Ordinal))
        {
            command = [Binary(tree, "Keelback.Chaos"), .. suite["chaos: ".Length..].Split(' '), "--root", Path.Combine(place, "runs")];
        }
        else
        {
            var filter = string.Join('|', suite["tests: ".Length..].Split('|').Select(part => $"FullyQualifiedName~.{part}"));
            command = ["test", Binary(tree, "Keelback.Jobs.Tests"), "--filter", filter];
        }

        return await ExitsWithZeroAsync(tree, log, suite.StartsWith("chaos", StringComparison.Ordinal) ? 3 * s_patience : s_patience, command);
    }

    private static string Binary(string tree, string project) => Path.Combine(tree, "artifacts", "bin", project, "debug", project + ".dll");

    // Who uses the project has a copy of it; nothing of theirs changes.
    private static void Spread(string tree, string project)
    {
        foreach (var user in s_users)
            File.Copy(Binary(tree, project), Path.Combine(Path.GetDirectoryName(Binary(tree, user))!, project + ".dll"), overwrite: true);
    }

    private static Task<bool> BuildAsync(string tree, string project) => ExitsWithZeroAsync(
        tree, Path.Combine(tree, "build.log"), 5 * s_patience, "build", project, "-v", "quiet", "-clp:NoSummary", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false");

    private static async Task<bool> ExitsWithZeroAsync(string folder, string log, TimeSpan patience, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec dotnet \"$@\" >\"$0\" 2>&1", log, .. arguments]) { WorkingDirectory = folder };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true); // a suite that hangs has noticed, too
            return false;
        }
    }

    /// <summary>What git knows and what is new, without what is built; only what changed, so that the next build is short.</summary>
    private static async Task CopyAsync(string tree)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-co", "--exclude-standard"]) { RedirectStandardOutput = true })!;
        var files = (await git.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await git.WaitForExitAsync();

        foreach (var file in files.Where(File.Exists))
        {
            var to = Path.Combine(tree, file);
            if (File.Exists(to) && await File.ReadAllTextAsync(to) == await File.ReadAllTextAsync(file)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to, overwrite: true);
            File.SetLastWriteTimeUtc(to, DateTime.UtcNow);
        }

        foreach (var old in Directory.EnumerateFiles(Path.Combine(tree, "src"), "*", SearchOption.AllDirectories))
            if (!File.Exists(Path.GetRelativePath(tree, old))) File.Delete(old);
    }

    private static int Said(string text, int exitCode)
    {
        Console.WriteLine(text);
        return exitCode;
    }
}
