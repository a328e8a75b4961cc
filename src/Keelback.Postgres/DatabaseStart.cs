using Microsoft.Extensions.Options;

namespace Keelback.Postgres;

/// <summary>The first step of every start: waits for the database, then brings its schema up to date, before any other service starts.</summary>
internal sealed class DatabaseStart(SystemSchema schema, StartPatience patience, IOptions<PostgresOptions> options) : HostStep
{
    /// <exception cref="KeelbackException">KB1003-KB1005: the schema does not fit. KB1006: the database did not answer in time.</exception>
    public override Task StartingAsync(CancellationToken cancellationToken) => patience.RunAsync(PrepareAsync, cancellationToken);

    private async Task PrepareAsync(CancellationToken ct)
    {
        if (options.Value.MigrateAtStart) await schema.MigrateAsync(ct);
        else if (await schema.PendingAsync(ct) is { Count: > 0 } pending)
            throw PostgresErrors.SchemaIsOlder(string.Join(", ", pending));
    }
}
