using Keelback.Data;
using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The <c>keelback</c> schema first, then the app's own migrations.</summary>
[Command("migrate", "Bring the database up to date, or to one migration, up or down")]
internal sealed class MigrateCommand(SystemSchema schema, IEnumerable<DataContext> contexts, IServiceProvider services) : Command
{
    [Argument("A migration's name or id, or 'zero'; the newest if left out")]
    public string? Target { get; init; }

    [Option("The context, where the app has several")]
    public string? Context { get; init; }

    [Option("Only list the migrations, and whether they are applied")]
    public bool List { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        var chosen = ContextChoice.Among(contexts, Context, required: Target is not null);
        if (List)
        {
            foreach (var context in chosen) await ListAsync(context, ct);
            return 0;
        }

        foreach (var script in await schema.PendingAsync(ct)) await Output.WriteLineAsync($"keelback {script}");
        await schema.MigrateAsync(ct);
        foreach (var context in chosen) await new Migrator(Db(context)).MigrateAsync(Target, Output, ct);

        return 0;
    }

    private async Task ListAsync(DataContext context, CancellationToken ct)
    {
        foreach (var migration in await new Migrator(Db(context)).ListAsync(ct))
            await Output.WriteLineAsync($"[{(migration.Applied ? 'x' : ' ')}] {migration.Id}{(migration.Known ? "" : " (unknown to this program)")}");
    }

    private DbContext Db(DataContext context) => (DbContext)services.GetRequiredService(context.Type);
}
