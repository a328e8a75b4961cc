using System.Text.RegularExpressions;
using Keelback.Data.Design;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Data.Tests;

public sealed partial class MigrationTests : IAsyncLifetime, IDisposable
{
    private static readonly TestTemplate s_empty = new("empty", (_, _) => Task.CompletedTask);
    private readonly AppProject _app = new();
    private readonly MigrationWriter _writer = new();
    private readonly StringWriter _output = new();
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(s_empty);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    public void Dispose()
    {
        _app.Dispose();
        _output.Dispose();
    }

    [Fact]
    public async Task The_first_migration_makes_the_tables_and_the_next_only_what_changed()
    {
        var first = await WriteAsync(composers: false);
        Assert.EndsWith("_Initial", first!.Id);
        Matches("Initial.cs", first);
        await using (var db = Open(composers: false))
        {
            Assert.Equal(1, await new Migrator(db).MigrateAsync(null, _output, default));
            Assert.Null(_writer.Write(db, _app.Project, null));
        }

        var second = await WriteAsync(composers: true);
        Assert.EndsWith("_AddComposerToTracks", second!.Id);
        Assert.Equal(["add column tracks.composer"], second.Changes);
        Matches("AddComposerToTracks.cs", second);
        await using (var db = Open(composers: true))
        {
            Assert.Equal(1, await new Migrator(db).MigrateAsync(null, _output, default));
            Assert.Equal(0, await new Migrator(db).MigrateAsync(null, _output, default));
        }

        Assert.Equal(
            ["Applying <id>_Initial … <n> ms", "Applying <id>_AddComposerToTracks … <n> ms", "Nothing to migrate."], Lines());
        Assert.Equal(
            ["album_id", "composer", "created_at", "id", "name", "unit_price", "updated_at"], await ColumnsAsync("tracks"));
    }

    [Fact]
    public async Task A_migration_is_undone_by_naming_the_one_before_or_zero()
    {
        await WriteAsync(composers: false);
        await WriteAsync(composers: true);
        await using var db = Open(composers: true);
        var migrator = new Migrator(db);
        await migrator.MigrateAsync(null, TextWriter.Null, default);

        Assert.Equal(1, await migrator.MigrateAsync("initial", _output, default));
        Assert.DoesNotContain("composer", await ColumnsAsync("tracks"));
        Assert.Equal([true, false], (await migrator.ListAsync(default)).Select(m => m.Applied));

        Assert.Equal(1, await migrator.MigrateAsync("zero", _output, default));
        Assert.Empty(await ColumnsAsync("tracks"));
        Assert.Equal(["Undoing <id>_AddComposerToTracks … <n> ms", "Undoing <id>_Initial … <n> ms"], Lines());
    }

    [Fact]
    public async Task A_fresh_database_is_listed_and_migrated_without_a_refused_command()
    {
        await WriteAsync(composers: false);
        await using var db = Open(composers: false);

        Assert.Equal([false], (await new Migrator(db).ListAsync(default)).Select(m => m.Applied));
        await new Migrator(db).MigrateAsync(null, _output, default);

        Assert.Empty(_app.Refused);
    }

    [Fact]
    public async Task A_migration_that_fails_says_so_and_leaves_the_ones_before()
    {
        await WriteAsync(composers: false);
        var second = await WriteAsync(composers: true);
        var code = await File.ReadAllTextAsync(second!.Files[0]);
        await File.WriteAllTextAsync(second.Files[0], code.Replace(
            "migrationBuilder.AddColumn<", "migrationBuilder.Sql(\"select 1/0\");\n migrationBuilder.AddColumn<", StringComparison.Ordinal));
        await using var db = Open(composers: true);

        var failure = await Assert.ThrowsAsync<PostgresException>(() => new Migrator(db).MigrateAsync(null, _output, default));

        Assert.Equal(PostgresErrorCodes.DivisionByZero, failure.SqlState);
        Assert.Equal(["Applying <id>_Initial … <n> ms", "Applying <id>_AddComposerToTracks … failed"], Lines());
        Assert.Equal([true, false], (await new Migrator(db).ListAsync(default)).Select(m => m.Applied));
    }

    [Fact]
    public async Task A_changed_model_without_its_migration_is_not_migrated()
    {
        await WriteAsync(composers: false);
        await using var db = Open(composers: true);

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => new Migrator(db).MigrateAsync(null, _output, default));

        Assert.Equal(
            "KB1110: The model of Archive has changes that no migration has. Run makemigrations, look at what it wrote, and migrate again.",
            refused.Message);
        Assert.Empty(await ColumnsAsync("tracks"));
    }

    [Fact]
    public async Task A_misspelt_target_gets_its_nearest_name()
    {
        await WriteAsync(composers: false);
        await using var db = Open(composers: false);

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => new Migrator(db).MigrateAsync("Inital", _output, default));

        Assert.Equal(
            "KB1111: Archive has no migration 'Inital'. Did you mean 'Initial'? Name one by its id or the name in it, or 'zero' to undo all.",
            refused.Message);
    }

    [Fact]
    public async Task A_database_from_a_newer_program_is_left_alone()
    {
        await WriteAsync(composers: false);
        var newest = await WriteAsync(composers: true);
        await using (var newer = Open(composers: true)) await new Migrator(newer).MigrateAsync(null, _output, default);
        foreach (var file in newest!.Files.Take(2)) File.Delete(file);

        await using var older = Open(composers: true);
        var refused = await Assert.ThrowsAsync<KeelbackException>(() => new Migrator(older).MigrateAsync("Initial", _output, default));

        Assert.Equal(
            $"KB1112: The database has the migration {newest.Id}, which this program's Archive does not know. " +
            "Run the newer program, or undo the migration with it.", refused.Message);
        Assert.Contains("composer", await ColumnsAsync("tracks"));
        Assert.Equal([true, false], (await new Migrator(older).ListAsync(default)).Select(m => m.Known));
        Assert.Equal(0, await new Migrator(older).MigrateAsync(null, _output, default)); // so a program that is rolled back can start
    }

    [Fact]
    public async Task Two_that_migrate_at_once_take_turns()
    {
        await WriteAsync(composers: false);
        await WriteAsync(composers: true);
        await using var first = Open(composers: true);
        await using var second = Open(composers: true);

        var turn = await MigrationTurn.WaitAsync(first, default);
        var waiting = new Migrator(second).MigrateAsync(null, TextWriter.Null, default);
        Assert.Empty(await ColumnsAsync("tracks"));
        await turn.DisposeAsync();

        var both = await Task.WhenAll(waiting, new Migrator(first).MigrateAsync(null, TextWriter.Null, default));
        Assert.Equal([0, 2], both.Order());
        Assert.Contains("composer", await ColumnsAsync("tracks"));
    }

    [Fact]
    public async Task A_migration_that_is_not_compiled_yet_is_not_written_twice()
    {
        await using var db = Open(composers: false);
        var first = _writer.Write(db, _app.Project, null);

        var refused = Assert.Throws<KeelbackException>(() => _writer.Write(db, _app.Project, null));

        Assert.Equal(
            $"KB1116: The migration {first!.Id} is not part of the running program, so its changes would be written again. " +
            "Build the project, and run makemigrations again.", refused.Message);
    }

    [Fact]
    public async Task A_migration_is_written_without_a_database()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=none;Username=none");
        await using var db = _app.Open(nowhere, composers: false);

        Assert.EndsWith("_Initial", _writer.Write(db, _app.Project, null)!.Id);
    }

    [Fact]
    public async Task A_migration_is_not_written_into_another_project()
    {
        var other = Path.Combine(_app.Project.Folder, "Other.csproj");
        await using var db = Open(composers: false);
        await File.WriteAllTextAsync(other, "<Project Sdk=\"Microsoft.NET.Sdk\" />");

        var refused = Assert.Throws<KeelbackException>(() => _writer.Write(db, new(other), null));

        Assert.Equal(
            "KB1118: Other.csproj is not where the migrations of Archive are: they belong to the assembly ShopMigrations. " +
            "Name that assembly's project with --project PATH.", refused.Message);
    }

    [Fact]
    public async Task The_check_tells_what_the_database_lacks()
    {
        var first = await WriteAsync(composers: false);
        await using var services = new ServiceCollection().AddScoped(_ => Open(composers: false)).BuildServiceProvider();
        var check = new MigrationCheck(services.GetRequiredService<IServiceScopeFactory>(), [new(typeof(Archive))]);
        var findings = new Findings();

        await check.RunAsync(findings, default);

        Assert.Equal(
            [new Finding(FindingLevel.Error, "KB1117", $"The database lacks the migration {first!.Id}.", "Run migrate.")], findings.All);
    }

    [Theory]
    [InlineData("Add Composer", "it becomes a class, and is not a C# name")]
    [InlineData("class", "it becomes a class, and is not a C# name")]
    public async Task A_name_that_cannot_be_a_class_is_refused(string name, string why)
    {
        await using var db = Open(composers: false);

        var refused = Assert.Throws<KeelbackException>(() => _writer.Write(db, _app.Project, name));

        Assert.Equal(
            $"KB1115: '{name}' cannot name a migration: {why}. Choose another name, such as AddComposer, or none to have one made.",
            refused.Message);
    }

    [Fact]
    public async Task A_dropped_column_is_warned_about()
    {
        await WriteAsync(composers: true);
        var dropped = await WriteAsync(composers: false);

        Assert.EndsWith("_DropComposerFromTracks", dropped!.Id);
        Assert.Equal(["'drop column tracks.composer' can lose data."], dropped.Warnings);
    }

    private Archive Open(bool composers) => _app.Open(_database.DataSource, composers);

    private async Task<WrittenMigration?> WriteAsync(bool composers)
    {
        await using var db = Open(composers);
        return _writer.Write(db, _app.Project, null);
    }

    private async Task<string[]> ColumnsAsync(string table)
    {
        await using var command = _database.DataSource.CreateCommand(
            "select coalesce(array_agg(column_name::text order by column_name), '{}') from information_schema.columns where table_name = $1");
        command.Parameters.AddWithValue(table);
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    private string[] Lines() => Normalise(_output.ToString()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static void Matches(string golden, WrittenMigration written)
    {
        var text = Normalise(File.ReadAllText(written.Files[0]));
        var path = Path.Combine(SourceFolder(), "Golden", golden + ".txt");
        if (Environment.GetEnvironmentVariable("KEELBACK_ACCEPT") is "1") File.WriteAllText(path, text);

        Assert.Equal(File.ReadAllText(path), text);
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private static string Normalise(string text) =>
        Milliseconds().Replace(Timestamp().Replace(text.ReplaceLineEndings("\n").TrimStart('\uFEFF'), "<id>_"), "<n> ms");

    [GeneratedRegex(@"\b\d{14}_")]
    private static partial Regex Timestamp();

    [GeneratedRegex(@"\b\d+ ms")]
    private static partial Regex Milliseconds();
}
