using Npgsql;

namespace Keelback.Jobs;

/// <summary>Keeps kinds and tags from running, from now on until it is taken back: their runs end as cancelled when a worker takes them. A single run is ended by <see cref="JobClient.CancelAsync"/>.</summary>
/// <remarks>
/// A row, so it outlives every worker and holds for workers that start later. Workers hear of it within a second. What runs already goes on;
/// cancel it, if it must not.
/// </remarks>
public sealed class JobRevocations
{
    private const short Tag = 1, Kind = 2;

    /// <summary>For how long at most: 100 years.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(36_525);

    private readonly NpgsqlDataSource _db;
    private readonly QueueCatalog _queues;
    private readonly JobWakes _wakes;

    internal JobRevocations(NpgsqlDataSource db, QueueCatalog queues, JobWakes wakes) => (_db, _queues, _wakes) = (db, queues, wakes);

    /// <summary>No run of this kind starts any more, whoever enqueued it and whenever.</summary>
    /// <param name="kind">The job's name in the database. Any is taken, as before the deploy that brings it: nobody tells a misspelt one.</param>
    /// <param name="lasting">For how long, over zero and at most 100 years; default: for good.</param>
    /// <param name="reason">What the runs' errors say.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="KeelbackException">KB1289: a NUL character in the name or the reason.</exception>
    public Task RevokeKindAsync(string kind, TimeSpan? lasting = null, string? reason = null, CancellationToken ct = default) =>
        RevokeAsync(Kind, kind, lasting, reason, ct);

    /// <summary>No run with this tag starts any more.</summary>
    /// <inheritdoc cref="RevokeKindAsync"/>
    public Task RevokeTagAsync(string tag, TimeSpan? lasting = null, string? reason = null, CancellationToken ct = default) =>
        RevokeAsync(Tag, tag, lasting, reason, ct);

    /// <summary>Takes it back: runs that have not been ended by it start again. False: it was not revoked.</summary>
    public Task<bool> AllowKindAsync(string kind, CancellationToken ct = default) => AllowAsync(Kind, kind, ct);

    /// <inheritdoc cref="AllowKindAsync"/>
    public Task<bool> AllowTagAsync(string tag, CancellationToken ct = default) => AllowAsync(Tag, tag, ct);

    /// <summary>What is revoked now.</summary>
    public async Task<IReadOnlyList<JobRevocation>> ListAsync(CancellationToken ct = default)
    {
        await using var command = _db.CreateCommand(
            """
            select what, value, at, least(until, '9999-12-31T00:00Z'), reason from keelback.revocation -- older code let a year be written that .NET cannot read
            where app = $1 and (until is null or until > keelback.clock())
            order by what, value
            """);
        command.Parameters.AddWithValue(_queues.App);

        var all = new List<JobRevocation>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            all.Add(new(row.GetInt16(0) == Kind ? row.GetString(1) : null, row.GetInt16(0) == Tag ? row.GetString(1) : null,
                row.GetFieldValue<DateTimeOffset>(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3), row.IsDBNull(4) ? null : row.GetString(4)));

        return all;
    }

    private async Task RevokeAsync(short what, string value, TimeSpan? lasting, string? reason, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(value);
        StorableText.Check(Name(what), value);
        StorableText.Check(nameof(reason), reason ?? "");
        if (lasting is { } time)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(lasting));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, Longest, nameof(lasting));
        }

        await using var command = _db.CreateCommand(
            """
            insert into keelback.revocation (app, what, value, at, until, reason)
            values ($1, $2, $3, keelback.clock(), keelback.clock() + $4, $5)
            on conflict (app, what, value) do update set at = excluded.at, until = excluded.until, reason = excluded.reason
            """);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(what);
        command.Parameters.AddWithValue(value);
        command.Parameters.Add(new() { Value = (object?)lasting ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Interval });
        command.Parameters.Add(new() { Value = (object?)reason ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
        _wakes.Orders();
    }

    private async Task<bool> AllowAsync(short what, string value, CancellationToken ct)
    {
        StorableText.Check(Name(what), value);
        await using var command = _db.CreateCommand("delete from keelback.revocation where app = $1 and what = $2 and value = $3");
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(what);
        command.Parameters.AddWithValue(value);
        var was = await command.ExecuteNonQueryAsync(ct) == 1;
        _wakes.Orders();
        return was;
    }

    private static string Name(short what) => what == Kind ? "kind" : "tag";
}

/// <summary>A kind or a tag that may not run.</summary>
/// <param name="Kind">The kind; null: it is a tag.</param>
/// <param name="Tag">The tag; null: it is a kind.</param>
/// <param name="At">Since when.</param>
/// <param name="Until">Until when; null: for good.</param>
/// <param name="Reason">What was given as the reason.</param>
public sealed record JobRevocation(string? Kind, string? Tag, DateTimeOffset At, DateTimeOffset? Until, string? Reason);
