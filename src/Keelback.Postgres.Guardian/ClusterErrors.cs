namespace Keelback.Postgres.Guardian;

/// <summary>Every error of the private cluster. Codes KB1020-KB1039.</summary>
internal static class ClusterErrors
{
    private const string Install =
        "Install PostgreSQL 15 or later (Debian: apt install postgresql; macOS: brew install postgresql; in this repository: ./dev setup), " +
        "name its bin folder in Keelback:Postgres:Binaries, or configure a server in ConnectionStrings:Keelback.";

    public static ClusterException NoBinaries(IEnumerable<string> looked) => new("KB1020",
        $"No PostgreSQL to start a private cluster with: initdb, pg_ctl and postgres are in none of {string.Join(", ", looked)}. {Install}");

    public static ClusterException NotBinaries(string folder, string missing) => new("KB1021",
        $"Keelback:Postgres:Binaries names '{folder}', which has no {missing}. Name the folder that holds initdb, pg_ctl and postgres.");

    public static ClusterException OtherMajor(int cluster, IEnumerable<int> found, string folder) => new("KB1022",
        $"The project's private cluster was made by PostgreSQL {cluster}, and only {string.Join(", ", found)} is installed. " +
        $"Install PostgreSQL {cluster} again, or delete '{folder}' to begin with an empty database.");

    public static ClusterException ToolFailed(string tool, int exitCode, string output) => new("KB1023",
        $"PostgreSQL's {tool} failed with exit code {exitCode}: {output} Correct what it names, and start again.");

    public static ClusterException WouldNotStart(string folder, string logTail) => new("KB1024",
        $"The project's private cluster in '{folder}' did not start. The end of its log: {logTail} " +
        "Correct what it names, and start again.");

    public static ClusterException Busy(string file, TimeSpan waited) => new("KB1025",
        $"Another process has held '{file}' for {waited.TotalSeconds:0} s. It starts or stops this project's private cluster; end it if it hangs.");

    public static ClusterException NoFolder(string folder, Exception e) => new("KB1026",
        $"The private cluster's folder '{folder}' cannot be used: {e.Message} Give this user the right to write there.", e);

    public static ClusterException NoRuntime() => new("KB1027",
        "The dotnet host was not found, and the private cluster's guardian runs on it. " +
        "Set DOTNET_ROOT, or configure a server in ConnectionStrings:Keelback.");

    public static ClusterException NoAccount() => new("KB1028",
        "This process is root, and PostgreSQL refuses to run as root; there is neither a user 'postgres' nor 'nobody' to run it as. " +
        "Create a user 'postgres', or start the app as an ordinary user.");
}
