using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>The first step of every start: waits for the database, then brings its schema up to date, before any other service starts.</summary>
internal sealed class DatabaseStart(
    NpgsqlDataSource db, SystemSchema schema, IOptions<PostgresOptions> options, TimeProvider clock, ILogger<DatabaseStart> log)
    : HostStep
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    /// <exception cref="KeelbackException">KB1003-KB1005: the schema does not fit. KB1006: the database did not answer in time.</exception>
    public override async Task StartingAsync(CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        while (true)
        {
            try
            {
                await PrepareAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException && Outage.Is(e))
            {
                var waited = clock.GetElapsedTime(begun);
                if (waited + s_between > options.Value.StartTimeout) throw PostgresErrors.NoAnswer(Server, waited, e);

                Log.WaitingForDatabase(log, Server, options.Value.StartTimeout - waited, e.GetBaseException().Message);
                await Task.Delay(s_between, clock, cancellationToken);
            }
        }
    }

    private string Server
    {
        get
        {
            var connection = new NpgsqlConnectionStringBuilder(db.ConnectionString);
            return $"{connection.Host}:{connection.Port}";
        }
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        if (options.Value.MigrateAtStart) await schema.MigrateAsync(ct);
        else if (await schema.PendingAsync(ct) is { Count: > 0 } pending)
            throw PostgresErrors.SchemaIsOlder(string.Join(", ", pending));
    }
}
