using Npgsql;

namespace Keelback.Jobs;

/// <summary>How long the engine waits for a row that somebody else has locked: whoever holds it longer than commits take has reasons of his own.</summary>
internal static class Patience
{
    /// <summary>Of a statement that is for many runs.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(2);

    /// <summary>Of one that is for a single run, where others were held up before.</summary>
    public static readonly TimeSpan Alone = TimeSpan.FromMilliseconds(100);

    /// <summary>The statement has waited that long; nothing of it was done.</summary>
    public static bool IsOver(Exception e) => e is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };
}
