using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>How signals travel between processes: the connection, and the shape of the message.</summary>
internal sealed class WakeUpLink(IOptions<PostgresOptions> options)
{
    public const string Channel = "keelback";

    // NOTIFY takes less than 8,000 bytes.
    private const int MessageLength = 7_000;

    // What a process tells, it hears too; it has woken its own loops already.
    private readonly string _sender = Guid.CreateVersion7().ToString("N");

    /// <summary>False where <see cref="PostgresOptions.ListenConnection"/> is empty: there is no direct connection, polling must do.</summary>
    public bool Enabled => options.Value.ListenConnection is not "";

    public async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource db, CancellationToken ct)
    {
        var direct = options.Value.ListenConnection;

        // Not of the pool, even without an address of its own: it pings, so that a link that is half open is noticed.
        var address = new NpgsqlConnectionStringBuilder(direct is null ? db.ConnectionString : ConnectionUrl.ToKeywords(direct))
        {
            Pooling = false,
            KeepAlive = 10,
        }.ConnectionString;
        using var pooled = db.CreateConnection(); // lends the password, which a connection string does not give away
        var connection = direct is null ? pooled.CloneWith(address) : new NpgsqlConnection(address);

        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sender and channels, a line each.</summary>
    public IEnumerable<string> Encode(IReadOnlyCollection<string> channels)
    {
        var message = _sender;
        foreach (var channel in channels)
        {
            if (System.Text.Encoding.UTF8.GetByteCount(message) + System.Text.Encoding.UTF8.GetByteCount(channel) > MessageLength)
            {
                yield return message;
                message = _sender;
            }

            message += "\n" + channel;
        }

        yield return message;
    }

    public IEnumerable<string> Decode(string message)
    {
        var lines = message.Split('\n');
        return lines[0] == _sender ? [] : lines.Skip(1);
    }
}
