using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Tests.Commands;

public sealed class DatabaseCommandTests : IDisposable
{
    private static readonly TestTemplate s_empty = new("empty", (_, _) => Task.CompletedTask);
    private readonly DirectoryInfo _project = Directory.CreateTempSubdirectory("keelback-project-");

    public void Dispose() => _project.Delete(recursive: true);

    [Fact]
    public async Task A_database_that_does_not_answer_is_told_once_by_the_check()
    {
        using var app = new ShellApp(k => k.AddData<Archive>());

        var code = await app.RunAsync("check");

        Assert.Equal(
            (1, "1 mistake found:\n" +
                "  error KB1512: The database does not answer: Failed to connect to 127.0.0.1:1\n" +
                "    hint: Start it, or correct the connection string.\n"),
            (code, app.Output));
    }

    [Fact]
    public async Task Scripts_that_the_schema_lacks_are_told_by_the_check()
    {
        await using var database = await TestDatabase.CreateAsync(s_empty);
        using var app = new ShellApp();
        app.Configuration["ConnectionStrings:Keelback"] = database.ConnectionString;

        var code = await app.RunAsync("check");

        Assert.Equal(1, code);
        Assert.Contains("  error KB1513: The keelback schema lacks postgres 0001 clock.\n    hint: Run 'migrate'.\n", app.Output);
    }

    [Theory, InlineData("migrate"), InlineData("serve")]
    public async Task A_database_that_does_not_exist_is_told_with_the_way_out(string command)
    {
        await using var database = await TestDatabase.CreateAsync(s_empty);
        var nowhere = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "nowhere" };
        using var app = new ShellApp(k => k.AddData<Archive>());
        app.Configuration["ConnectionStrings:Keelback"] = nowhere.ConnectionString;

        var code = await app.RunAsync(command);

        var server = $"-h {nowhere.Host} -p {nowhere.Port}";
        Assert.Equal(
            (1, $"KB1008: The server {nowhere.Host}:{nowhere.Port} has no database 'nowhere'. " +
                $"Create it (createdb {server} nowhere), or correct the connection string.\n"),
            (code, app.Error));
    }

    [Fact]
    public async Task Makemigrations_asks_no_database_and_says_when_its_package_is_missing()
    {
        File.WriteAllText(Path.Combine(_project.FullName, "Shop.csproj"),
            """<Project><ItemGroup><ProjectReference Include="../src/Keelback/Keelback.csproj" /></ItemGroup></Project>""");
        using var app = new ShellApp(k => k.AddData<Archive>());
        app.Configuration["ConnectionStrings:Keelback"] = null;

        var code = await app.RunAsync("makemigrations", "--project", _project.FullName);

        Assert.Equal(
            (1, "KB1113: Shop.csproj does not reference the package that writes migrations. Add this line to it, and build in Debug: " +
                "<ProjectReference Include=\"../src/Keelback.Data.Design/Keelback.Data.Design.csproj\" Condition=\"'$(Configuration)' == 'Debug'\" />\n"),
            (code, app.Error));
    }

    [Fact]
    public async Task Migrations_need_a_context()
    {
        using var app = new ShellApp();

        var code = await app.RunAsync("makemigrations");

        Assert.Equal((1, "KB1516: Migrations belong to a DbContext, and the app has none. Call builder.AddKeelback<YourDb>() with it.\n"), (code, app.Error));
    }

    [Theory, InlineData("migrate Initial"), InlineData("makemigrations"), InlineData("makemigrations --context Attic")]
    public async Task Of_several_contexts_one_must_be_named(string line)
    {
        using var app = new ShellApp(k => k.AddData<Archive>().AddData<Cellar>());

        var code = await app.RunAsync(line.Split(' '));

        Assert.Equal((1, "KB1518: Say with --context which one is meant: Archive, Cellar.\n"), (code, app.Error));
    }

    public sealed class Archive(DbContextOptions<Archive> options) : DbContext(options);

    public sealed class Cellar(DbContextOptions<Cellar> options) : DbContext(options);
}
