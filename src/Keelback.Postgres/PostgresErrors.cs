using Npgsql;

namespace Keelback.Postgres;

/// <summary>Every error this package raises. Codes KB1000-KB1099.</summary>
internal static class PostgresErrors
{
    public static KeelbackException NoConnection(string environment) => new("KB1001",
        $"No PostgreSQL is configured, and a private cluster is started in Development only; this is {environment}. " +
        "Set ConnectionStrings:Keelback or DATABASE_URL.");

    public static KeelbackException BadUrl(string reason, Exception? inner = null) => new("KB1002",
        $"The database URL cannot be read: {reason}. " +
        "Write postgres://user:password@host:5432/database, with special characters percent-encoded.", inner);

    public static KeelbackException SchemaIsNewer(string module, int database, int code) => new("KB1003",
        $"The keelback schema is newer than this program: module '{module}' is at {database:0000}, this program knows {code:0000}. " +
        "Deploy the newer program; an older one that runs already may go on.");

    public static KeelbackException SchemaIsOlder(string pending) => new("KB1004",
        $"The keelback schema is older than this program, and Keelback:Postgres:{nameof(PostgresOptions.MigrateAtStart)} is off; " +
        $"pending: {pending}. Run the migrate command.");

    public static KeelbackException SchemaIsForeign(string module, int number, string found, string expected) => new("KB1005",
        $"The keelback schema was not made by this program's scripts: module '{module}' has {found} as {number:0000}, where this program has {expected}. " +
        "Use another database, or restore the rows of keelback.migration that a release wrote.");

    public static KeelbackException NoAnswer(string server, TimeSpan waited, Exception last) => new("KB1006",
        $"PostgreSQL at {server} did not answer for {waited.TotalSeconds:0} s: {last.GetBaseException().Message} " +
        $"Start it, correct the connection, or raise Keelback:Postgres:{nameof(PostgresOptions.StartTimeout)}.", last);

    public static KeelbackException NoDatabase(NpgsqlConnectionStringBuilder connection, PostgresException e) => new("KB1008",
        $"The server {connection.Host}:{connection.Port} has no database '{connection.Database}'. " +
        $"Create it (createdb -h {connection.Host} -p {connection.Port} {connection.Database}), or correct the connection string.", e);

    public static KeelbackException BadConnectionString(Exception e) => new("KB1007",
        $"The connection string cannot be read: {e.Message} Write Host=…;Database=…;Username=…;Password=…, or a postgres:// URL.", e);
}
