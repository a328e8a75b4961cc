using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Keelback.Postgres.Guardian;

/// <summary>Starts the guardian where there is none.</summary>
internal static class GuardianProcess
{
    /// <summary>Two that start at once are no harm: the lock leaves one.</summary>
    public static void Ensure(ClusterFolder folder, Binaries binaries)
    {
        using (var free = FileLock.TryAlone(folder.Guardian))
            if (free is null) return;

        var start = new ProcessStartInfo(DotnetHost(),
            ["exec", "--runtimeconfig", RuntimeConfig(folder), Copy(folder), "guard", "--cluster", folder.Path, "--binaries", binaries.Folder])
        {
            // Pipes that nobody reads: the parent's own output must reach its end when the parent ends.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
            WorkingDirectory = folder.Path,
        };
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("DOTNET_STARTUP", StringComparison.Ordinal)
            || n.StartsWith("CORECLR_", StringComparison.Ordinal) || n.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";

        Process.Start(start)!.Dispose();
    }

    /// <summary>The host that runs this process, or the one of its shared runtime.</summary>
    private static string DotnetHost()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var shared = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return FirstOf(
            Path.GetFileName(Environment.ProcessPath) == name ? Environment.ProcessPath : null,
            shared,
            Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root ? Path.Combine(root, name) : null);
    }

    /// <exception cref="ClusterException">KB1027: it is in none of the places.</exception>
    internal static string FirstOf(params string?[] places) => places.FirstOrDefault(File.Exists) ?? throw ClusterErrors.NoRuntime();

    /// <summary>A copy of this assembly, which a build or a clean-up of the project cannot pull from under the guardian.</summary>
    private static string Copy(ClusterFolder folder)
    {
        var assembly = typeof(GuardianProcess).Assembly;
        if (assembly.Location is not { Length: > 0 } source) throw ClusterErrors.NoRuntime(); // published as a single file

        var copy = Path.Combine(folder.Path, $"guardian-{assembly.ManifestModule.ModuleVersionId:N}.dll");
        if (File.Exists(copy)) return copy;

        foreach (var old in Directory.EnumerateFiles(folder.Path, "guardian-*.dll"))
        {
            try
            {
                File.Delete(old);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Windows: the guardian of an older build still runs from it.
            }
        }

        var half = $"{copy}.{Environment.ProcessId}";
        File.Copy(source, half, overwrite: true);
        File.Move(half, copy, overwrite: true);
        return copy;
    }

    private static string RuntimeConfig(ClusterFolder folder)
    {
        var file = Path.Combine(folder.Path, "guardian.runtimeconfig.json");
        if (!File.Exists(file))
            File.WriteAllText(file,
                $$"""
                {
                  "runtimeOptions": {
                    "framework": { "name": "Microsoft.NETCore.App", "version": "{{Environment.Version.Major}}.0.0" },
                    "rollForward": "Major",
                    "configProperties": { "System.Globalization.Invariant": true, "System.GC.Concurrent": false }
                  }
                }
                """);
        return file;
    }
}
