namespace Keelback.Postgres;

/// <summary>Where PostgreSQL is and how this app behaves towards it. Bound from the <c>Keelback:Postgres</c> section.</summary>
public sealed class PostgresOptions
{
    /// <summary>
    /// Key-value pairs or a <c>postgres://</c> URL. Default: <c>ConnectionStrings:Keelback</c>, then <c>DATABASE_URL</c>;
    /// with neither, in Development, the project's private cluster.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// A direct connection for LISTEN, where <see cref="ConnectionString"/> goes through a pooler in transaction mode.
    /// Default: none, and the main connection string is used; an empty string turns LISTEN off, and polling alone finds work.
    /// </summary>
    public string? ListenConnection { get; set; }

    /// <summary>The folder of <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> for the private cluster. Default: the PATH, then the usual places, newest first.</summary>
    public string? Binaries { get; set; }

    /// <summary>Keeps apps on one database apart: queues, workers and schedules of another app are never seen. Default: the host's application name.</summary>
    public string App { get; set; } = "";

    /// <summary>How long start-up waits for a database that does not answer. Default 30 s.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether start-up brings the <c>keelback</c> schema up to date. Default true; else run the <c>migrate</c> command.</summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>Set by a command that wants contexts for their model alone: then nothing need be configured, and no cluster is started.</summary>
    internal bool ModelOnly { get; set; }
}
