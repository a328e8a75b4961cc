using Keelback.Data;
using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Writes what changed in the model since its last migration.</summary>
[Command("makemigrations", "Write a migration for what changed in the model")]
internal sealed class MakeMigrationsCommand(
    IEnumerable<DataContext> contexts, IOptions<PostgresOptions> postgres, IHostEnvironment environment, IServiceProvider services) : Command
{
    [Argument("What to call it; made from the changes if left out")]
    public string? Name { get; init; }

    [Option("The project to write into (default: the nearest above the working directory)")]
    public string? Project { get; init; }

    [Option("The context, where the app has several")]
    public string? Context { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        var chosen = ContextChoice.Among(contexts, Context, required: true);
        var project = ProjectFile.Find(Project, Environment.CurrentDirectory, environment.ApplicationName);
        var db = (DbContext)services.GetRequiredService(chosen[0].Type);

        if (DesignTime.Writer(project).Write(db, project, Name) is not { } written)
        {
            await Output.WriteLineAsync($"No changes in {db.GetType().Name}.");
            return 0;
        }

        await Output.WriteLineAsync(written.Id);
        foreach (var change in written.Changes) await Output.WriteLineAsync($"  {change}");
        foreach (var file in written.Files) await Output.WriteLineAsync(Path.GetRelativePath(Environment.CurrentDirectory, file));
        foreach (var warning in written.Warnings) await Error.WriteLineAsync($"warning: {warning}");

        return 0;
    }

    // A model is compared with the last one; no database is asked, so there need not be one.
    protected internal override void BeforeHost() => postgres.Value.ModelOnly = true;
}
