namespace Keelback.Data;

/// <summary>Every error this package raises. Codes KB1100-KB1199.</summary>
internal static class DataErrors
{
    public static KeelbackException ContextWithoutKeelback(Type context) => new("KB1101",
        $"{context.Name} was set up without Keelback. Register it with AddData<{context.Name}>(), or call UseKeelback() beside UseNpgsql().");

    public static KeelbackException AmbientTransaction() => new("KB1102",
        "SaveChanges has work to commit or callbacks to run, inside a System.Transactions transaction, which tells nobody when it commits. " +
        "Use db.InTransactionAsync(…) in place of the TransactionScope.");

    public static KeelbackException NotPostgres() => new("KB1103",
        "UseKeelback() was called on a context without PostgreSQL. Call UseNpgsql(…) on the same options.");

    public static KeelbackException CommitBeforeSave(Type context) => new("KB1104",
        $"The transaction commits while {context.Name} has unsaved changes and work that waits for them. " +
        "Call SaveChangesAsync() before the commit.");

    public static KeelbackException IsolationInside(System.Data.IsolationLevel isolation) => new("KB1105",
        $"An inner InTransactionAsync asks for isolation level {isolation}, but the transaction has begun. " +
        "Ask for it in the outermost call.");

    public static KeelbackException RetryWithTracked(int tracked, Exception cause) => new("KB1106",
        $"The transaction failed for a passing reason and was not tried again: {tracked} entities were tracked before it began, " +
        "and a retry would lose what it changed in them. Load and add entities inside InTransactionAsync(…).", cause);

    public static KeelbackException CommitUnknown(string xid, Exception cause) => new("KB1107",
        $"The connection broke during COMMIT, and whether transaction {xid} was committed could not be learnt. " +
        $"When the database is back, ask: select pg_xact_status('{xid}').", cause);
}
