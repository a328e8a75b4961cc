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

    public static KeelbackException ModelChanged(Type context) => new("KB1110",
        $"The model of {context.Name} has changes that no migration has. Run makemigrations, look at what it wrote, and migrate again.");

    public static KeelbackException NoSuchMigration(string target, string? nearest, Type context) => new("KB1111",
        $"{context.Name} has no migration '{target}'.{(nearest is null ? "" : $" Did you mean '{nearest}'?")} " +
        $"Name one by its id or the name in it, or '{Migrator.Nothing}' to undo all.");

    public static KeelbackException DatabaseIsAhead(string migration, Type context) => new("KB1112",
        $"The database has the migration {migration}, which this program's {context.Name} does not know. " +
        "Run the newer program, or undo the migration with it.");

    public static KeelbackException NoDesign(string project, string line) => new("KB1113",
        $"{project} does not reference the package that writes migrations. Add this line to it, and build in Debug: {line}");

    public static KeelbackException NoProject(string place) => new("KB1114",
        $"'{place}' does not lead to one .csproj to write the migration into. Name it with --project PATH.");

    public static KeelbackException OtherProject(string project, string assembly, Type context) => new("KB1118",
        $"{project} is not where the migrations of {context.Name} are: they belong to the assembly {assembly}. " +
        "Name that assembly's project with --project PATH.");

    public static KeelbackException BadMigrationName(string name, string why) => new("KB1115",
        $"'{name}' cannot name a migration: {why}. Choose another name, such as AddComposer, or none to have one made.");

    public static KeelbackException NotCompiled(string file) => new("KB1116",
        $"The migration {file} is not part of the running program, so its changes would be written again. Build the project, and run makemigrations again.");
}
