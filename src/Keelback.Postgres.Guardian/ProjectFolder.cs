namespace Keelback.Postgres.Guardian;

/// <summary>The folder that a private cluster belongs to: web, worker, commands and tests of one project find the same.</summary>
internal static class ProjectFolder
{
    /// <summary>The nearest folder upwards with a solution or a repository; else with a project; else <paramref name="start"/> itself.</summary>
    public static string Of(string start)
    {
        var folder = new DirectoryInfo(start);
        if (folder.Exists) folder = folder.ResolveLinkTarget(returnFinalTarget: true) as DirectoryInfo ?? folder;

        var found = Nearest(folder, IsRepository) ?? Nearest(folder, f => f.EnumerateFiles("*.csproj").Any()) ?? folder;
        return Path.TrimEndingDirectorySeparator(found.FullName);
    }

    private static DirectoryInfo? Nearest(DirectoryInfo? folder, Func<DirectoryInfo, bool> counts)
    {
        for (; folder is not null; folder = folder.Parent)
            if (folder.Exists && counts(folder)) return folder;

        return null;
    }

    // .git is a file in a worktree, which is a project of its own.
    private static bool IsRepository(DirectoryInfo folder) =>
        folder.EnumerateFiles("*.slnx").Any() || folder.EnumerateFiles("*.sln").Any() || Path.Exists(Path.Combine(folder.FullName, ".git"));
}
