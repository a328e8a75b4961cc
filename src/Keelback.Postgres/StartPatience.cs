using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Waits for a database that is away while the app starts. What it repeats must be repeatable.</summary>
internal sealed class StartPatience(NpgsqlDataSource db, IOptions<PostgresOptions> options, TimeProvider clock, ILogger<StartPatience> log)
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    /// <exception cref="KeelbackException">KB1006: the database did not answer within <see cref="PostgresOptions.StartTimeout"/>.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> step, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        while (true)
        {
            try
            {
                await step(ct);
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException && Outage.Is(e))
            {
                var waited = clock.GetElapsedTime(begun);
                if (waited + s_between > options.Value.StartTimeout) throw PostgresErrors.NoAnswer(Server, waited, e);

                Log.WaitingForDatabase(log, Server, options.Value.StartTimeout - waited, e.GetBaseException().Message);
                await Task.Delay(s_between, clock, ct);
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
}
