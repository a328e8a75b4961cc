using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>Takes the database to a migration of the app, up or down, and says what it does.</summary>
internal sealed class Migrator(DbContext db)
{
    /// <summary>What stands for "before the first migration".</summary>
    public const string Nothing = "zero";

    /// <summary>Every migration that the program or the database knows, oldest first.</summary>
    public async Task<IReadOnlyList<MigrationState>> ListAsync(CancellationToken ct)
    {
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var applied = await AppliedAsync(ct);

        return [.. known.Union(applied).Order(StringComparer.Ordinal).Select(id => new MigrationState(id, known.Contains(id), applied.Contains(id)))];
    }

    /// <summary>Brings the database to <paramref name="target"/>, one line of output a migration. Returns how many were applied or undone.</summary>
    /// <param name="target">An id, the name in it, or <c>zero</c>; null: the newest.</param>
    /// <param name="output">Gets the lines.</param>
    /// <param name="ct">Between two migrations; one that has begun is finished or rolled back by the server.</param>
    /// <exception cref="KeelbackException">KB1110: the model has changes that no migration has. KB1111: no such migration. KB1112: a target is named, and the database is ahead.</exception>
    public async Task<int> MigrateAsync(string? target, TextWriter output, CancellationToken ct)
    {
        await using var turn = await MigrationTurn.WaitAsync(db, ct);
        var steps = await PlanAsync(target, ct);
        if (steps.Count == 0) await output.WriteLineAsync("Nothing to migrate.");
        else await db.GetService<IHistoryRepository>().CreateIfNotExistsAsync(ct); // EF would look for it first, and log the miss as a failed command

        var migrator = db.GetService<IMigrator>();
        foreach (var (label, id) in steps)
        {
            await output.WriteAsync($"{label} … ");
            var start = Stopwatch.GetTimestamp();
            try
            {
                await migrator.MigrateAsync(id, ct);
            }
            catch
            {
                await output.WriteLineAsync("failed");
                throw;
            }

            await output.WriteLineAsync($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)} ms");
        }

        return steps.Count;
    }

    private async Task<List<(string Label, string Id)>> PlanAsync(string? target, CancellationToken ct)
    {
        var known = db.Database.GetMigrations().ToList();
        var applied = await AppliedAsync(ct);

        if (target is null && db.Database.HasPendingModelChanges()) throw DataErrors.ModelChanged(db.GetType());
        // On the way up that is a rollback, or a deployment half-way; on the way to one migration it would be skipped over.
        if (target is not null && applied.Except(known).Order(StringComparer.Ordinal).LastOrDefault() is { } stranger)
            throw DataErrors.DatabaseIsAhead(stranger, db.GetType());

        // The place in the list up to which everything is to be there; -1 is before the first.
        var end = target is null ? known.Count - 1 : target == Nothing ? -1 : IndexOf(known, target);

        var up = known.Take(end + 1).Where(id => !applied.Contains(id)).Select(id => ($"Applying {id}", id));
        var down = Enumerable.Range(end + 1, known.Count - end - 1).Reverse().Where(i => applied.Contains(known[i]))
            .Select(i => ($"Undoing {known[i]}", i == 0 ? Migration.InitialDatabase : known[i - 1]));

        return [.. down, .. up];
    }

    private int IndexOf(List<string> known, string target)
    {
        var index = known.FindIndex(id => id == target || string.Equals(NameOf(id), target, StringComparison.OrdinalIgnoreCase));
        if (index >= 0) return index;

        throw DataErrors.NoSuchMigration(target, NearestName.Of(target, known.Select(NameOf)), db.GetType());
    }

    private async Task<HashSet<string>> AppliedAsync(CancellationToken ct) =>
        await db.GetService<IRelationalDatabaseCreator>().ExistsAsync(ct) && await HasHistoryAsync(ct)
            ? [.. await db.Database.GetAppliedMigrationsAsync(ct)]
            : [];

    // The history's own question is a read of its table, which EF logs as a failed command where there is none yet.
    private async Task<bool> HasHistoryAsync(CancellationToken ct)
    {
        var options = RelationalOptionsExtension.Extract(db.GetService<IDbContextOptions>());
        var table = db.GetService<ISqlGenerationHelper>().DelimitIdentifier(
            options.MigrationsHistoryTableName ?? HistoryRepository.DefaultTableName, options.MigrationsHistoryTableSchema);

        return await db.Database.SqlQuery<bool>($"select to_regclass({table}) is not null as \"Value\"").SingleAsync(ct);
    }

    private static string NameOf(string id) => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];
}

/// <summary>One migration: whether this program has it, and whether the database does.</summary>
internal sealed record MigrationState(string Id, bool Known, bool Applied);
