namespace Keelback.Postgres;

/// <summary>Every error this package raises. Codes KB1000-KB1099.</summary>
internal static class PostgresErrors
{
    public static KeelbackException NoConnection(string environment) => new("KB1001",
        $"No PostgreSQL is configured, and a private cluster is started in Development only; this is {environment}. " +
        "Set ConnectionStrings:Keelback or DATABASE_URL.");

    public static KeelbackException BadUrl(string scheme) => new("KB1002",
        $"The database URL begins with '{scheme}://'; it must begin with 'postgres://' or 'postgresql://'. " +
        "Write postgres://user:password@host:5432/database, with special characters percent-encoded.");

    public static KeelbackException SchemaIsNewer(string module, int database, int code) => new("KB1003",
        $"The keelback schema is newer than this program: module '{module}' is at {database:0000}, this program knows {code:0000}. " +
        "Deploy the newer program; an older one that runs already may go on.");
}
