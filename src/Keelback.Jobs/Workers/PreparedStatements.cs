using Npgsql;

namespace Keelback.Jobs;

/// <summary>Whether statements are prepared: yes, until a pooler in transaction mode shows that they do not stay where they were made.</summary>
internal sealed class PreparedStatements
{
    private volatile bool _refused;

    public bool Enabled => !_refused;

    /// <summary>True: the server session was another one than the statement was prepared on; nothing was done, and trying again will work.</summary>
    public bool IsRefusal(Exception e)
    {
        if (e is not PostgresException { SqlState: PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement })
            return false;

        _refused = true;
        return true;
    }
}
