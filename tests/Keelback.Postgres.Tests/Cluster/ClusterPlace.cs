using System.Diagnostics;
using Keelback.Postgres.Guardian;
using Npgsql;

namespace Keelback.Postgres.Tests;

/// <summary>A folder for one test's clusters, and the means to look at what runs there.</summary>
public sealed class ClusterPlace
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(180);

    // As root the server runs as another user, who must be able to get here.
    private readonly string _root = Directory.CreateDirectory(
        Path.Combine(ServerAccount.IsRoot ? "/var/tmp" : Path.GetTempPath(), $"kb-{Guid.CreateVersion7():N}"[..24])).FullName;

    private readonly List<Process> _users = [];

    internal string Root => _root;

    internal ClusterFolder Folder(string project = "shop") => ClusterFolder.For("/projects/" + project, Path.Combine(_root, "state"));

    /// <summary>PostgreSQL's bin folders to test with: those found, and the one KEELBACK_TEST_BINARIES names.</summary>
    public static TheoryData<string?> Versions()
    {
        var versions = new TheoryData<string?> { (string?)null };
        if (Environment.GetEnvironmentVariable("KEELBACK_TEST_BINARIES") is { Length: > 0 } more) versions.Add(more);
        else if (Unpacked() is { } newest) versions.Add(newest);
        return versions;
    }

    /// <summary>Another process that takes a seat and prints its URL; it runs until it is killed.</summary>
    internal async Task<(Process Process, string Url)> StartUserAsync(ClusterFolder folder, string? binaries = null)
    {
        string[] named = binaries is null ? [] : ["--binaries", binaries];
        var process = Process.Start(new ProcessStartInfo(DotnetHost,
            [typeof(ClusterFolder).Assembly.Location, "start", "--cluster", folder.Path, .. named])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _users.Add(process);

        var url = await process.StandardOutput.ReadLineAsync().WaitAsync(s_soon);
        return (process, url ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync()));
    }

    public static void Kill(Process process)
    {
        process.Kill(); // SIGKILL: nothing of the process's own runs any more
        process.WaitForExit();
    }

    /// <summary>The guardians of the cluster, found by their command line.</summary>
    internal static IReadOnlyList<int> Guardians(ClusterFolder folder) =>
        [.. ProcessesWith(folder.Path).Where(p => p.CommandLine.Contains("guard\0--cluster", StringComparison.Ordinal)).Select(p => p.Id)];

    internal static bool IsRunning(ClusterFolder folder) => Postmaster.Read(folder.Data) is not null;

    internal static async Task UntilAsync(Func<bool> holds, string what)
    {
        using var deadline = new CancellationTokenSource(s_soon);
        while (!holds())
        {
            if (deadline.IsCancellationRequested) throw new TimeoutException($"{what} did not happen within {s_soon}.");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    internal static async Task<T> ScalarAsync<T>(string url, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionUrl.ToKeywords(url) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Kills the users, stops what runs, waits for the guardians to notice, and deletes the folder.</summary>
    public async Task EndAsync()
    {
        foreach (var user in _users.Where(u => !u.HasExited)) Kill(user);
        foreach (var folder in Directory.Exists(Path.Combine(_root, "state")) ? Directory.GetDirectories(Path.Combine(_root, "state")) : [])
            await RemoveAsync(new(folder));

        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Ends a cluster without its guardian's pause.</summary>
    internal static async Task RemoveAsync(ClusterFolder folder)
    {
        using (await FileLock.AloneAsync(folder.Starting, s_soon, default)) // else a guardian may start it again
        using (await FileLock.AloneAsync(folder.Users, s_soon, default))
        {
            if (IsRunning(folder)) await new ClusterServer(folder, await Binaries.FindAsync(null, null, folder.Path, default)).StopAsync(default);
            if (Directory.Exists(folder.Server)) Directory.Delete(folder.Server, recursive: true); // a join that failed early left none
        }

        await UntilAsync(() => Guardians(folder).Count == 0, "The end of the last guardian");
        Directory.Delete(folder.Path, recursive: true);
    }

    private static string DotnetHost => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet"
        ? path
        : Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static string? Unpacked()
    {
        var cache = ServerAccount.IsRoot
            ? "/var/cache"
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folder = Path.Combine(cache, "keelback", "postgresql");
        return Directory.Exists(folder) ? Directory.GetDirectories(folder).Order().Select(f => Path.Combine(f, "bin")).LastOrDefault() : null;
    }

    private static IEnumerable<(int Id, string CommandLine)> ProcessesWith(string text)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
        {
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(folder, "cmdline"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // it ended meanwhile
            }

            if (line.Contains(text, StringComparison.Ordinal)) yield return (int.Parse(Path.GetFileName(folder)), line);
        }
    }
}
