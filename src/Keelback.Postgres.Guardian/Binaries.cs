using System.Globalization;

namespace Keelback.Postgres.Guardian;

/// <summary>A folder with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> of one major version.</summary>
internal sealed record Binaries(string Folder, int Major)
{
    private static readonly string[] s_needed = ["initdb", "pg_ctl", "postgres"];

    public string this[string program] => Program(Folder, program);

    /// <summary>The ones named; else the first on the PATH; else the newest installed. A cluster that exists wants its own major version.</summary>
    /// <exception cref="ClusterException">KB1020-KB1022: there are none that fit. KB1023: the ones named do not run here.</exception>
    public static async Task<Binaries> FindAsync(string? named, int? major, string clusterFolder, CancellationToken ct)
    {
        if (named is { Length: > 0 } && s_needed.FirstOrDefault(p => !File.Exists(Program(named, p))) is { } missing)
            throw ClusterErrors.NotBinaries(named, missing);

        if (named is { Length: > 0 }) await PostgresTool.RunOrThrowAsync(Program(named, "postgres"), ["--version"], null, ct);

        return named is { Length: > 0 }
            ? await AmongAsync([named], [named], major, clusterFolder, ct)
            : await AmongAsync(OnPath().Concat(Installed()), ["the PATH", .. Places()], major, clusterFolder, ct);
    }

    /// <summary>The first of the folders that fits.</summary>
    /// <param name="folders">Where to look.</param>
    /// <param name="looked">The same in words.</param>
    /// <param name="major">The version that a cluster needs; null: any.</param>
    /// <param name="clusterFolder">Where that cluster lies.</param>
    /// <param name="ct">Ends the search.</param>
    /// <exception cref="ClusterException">KB1020, KB1022: none does.</exception>
    internal static async Task<Binaries> AmongAsync(
        IEnumerable<string> folders, IEnumerable<string> looked, int? major, string clusterFolder, CancellationToken ct)
    {
        var others = new List<int>();
        foreach (var folder in folders.Where(f => s_needed.All(p => File.Exists(Program(f, p)))))
        {
            if (await MajorAsync(folder, ct) is not { } found) continue;
            if (major is null || found == major) return new(folder, found);
            others.Add(found);
        }

        throw others.Count > 0
            ? ClusterErrors.OtherMajor(major!.Value, others.Distinct().Order(), clusterFolder)
            : ClusterErrors.NoBinaries(looked);
    }

    private static IEnumerable<string> OnPath() =>
        from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        let program = Program(folder, "postgres")
        where File.Exists(program)
        // A link's own folder need not hold the other programs.
        select Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program)!;

    /// <summary>Newest first. The version is in the path: 15, 18.4.0, postgresql@17.</summary>
    private static IEnumerable<string> Installed() =>
        from place in Places()
        let root = place[..place.IndexOf('*')]
        where Directory.Exists(Path.GetDirectoryName(root))
        from folder in Directory.EnumerateDirectories(Path.GetDirectoryName(root)!, Path.GetFileName(root) + "*")
        orderby Number(Path.GetFileName(folder)) descending
        select Path.Combine(folder, "bin");

    private static List<string> Places()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".cache");
        var unpacked = Path.Combine(cache, "keelback", "postgresql", "*");

        if (OperatingSystem.IsWindows())
            return [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL", "*"), unpacked];
        if (OperatingSystem.IsMacOS())
            return
            [
                "/opt/homebrew/opt/postgresql@*", "/usr/local/opt/postgresql@*",
                "/Applications/Postgres.app/Contents/Versions/*", "/Library/PostgreSQL/*", unpacked,
            ];

        // Root's server runs as another user, who cannot look into root's home.
        return ["/usr/lib/postgresql/*", "/usr/pgsql-*", ServerAccount.IsRoot ? "/var/cache/keelback/postgresql/*" : unpacked];
    }

    private static double Number(string name)
    {
        var digits = new string([.. name.SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit)]);
        return double.TryParse(digits, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    /// <summary><c>postgres (PostgreSQL) 15.18 (Debian …)</c>; null when it does not run here.</summary>
    private static async Task<int?> MajorAsync(string folder, CancellationToken ct)
    {
        try
        {
            var (exitCode, output) = await PostgresTool.RunAsync(Program(folder, "postgres"), ["--version"], null, ct);
            var version = output.Split("(PostgreSQL) ");
            return exitCode == 0 && version.Length > 1 ? (int)Number(version[1]) : null;
        }
        catch (ClusterException)
        {
            return null;
        }
    }

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
}
