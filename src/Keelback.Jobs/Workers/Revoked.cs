using Npgsql;

namespace Keelback.Jobs;

/// <summary>The kinds and tags that may not run, as this process last read them: each second, and when it is woken.</summary>
internal sealed class Revoked(NpgsqlDataSource db)
{
    private volatile Dictionary<string, string?> _kinds = [];
    private volatile Dictionary<string, string?> _tags = [];

    public void Set(Dictionary<string, string?> kinds, Dictionary<string, string?> tags) => (_kinds, _tags) = (kinds, tags);

    /// <summary>Of these claims those that may not run, and why. Asks the database only while some tag is revoked.</summary>
    public async ValueTask<Dictionary<long, JobError>> AmongAsync(IReadOnlyList<Claim> claims, CancellationToken ct)
    {
        var found = new Dictionary<long, JobError>();
        if (claims.Count == 0 || _kinds.Count + _tags.Count == 0) return found;

        foreach (var claim in claims)
            if (_kinds.TryGetValue(claim.Kind, out var reason))
                found[claim.RunId] = Error($"The kind '{claim.Kind}' is revoked.", reason);

        if (_tags.Count == 0) return found;

        await using var command = db.CreateCommand("select run_id, tag from keelback.tag where run_id = any($1) and tag = any($2)");
        command.Parameters.AddWithValue(claims.Select(c => c.RunId).ToArray());
        command.Parameters.AddWithValue(_tags.Keys.ToArray());
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found[row.GetInt64(0)] = Error($"The tag '{row.GetString(1)}' is revoked.", _tags.GetValueOrDefault(row.GetString(1)));

        return found;
    }

    private static JobError Error(string what, string? reason) => JobError.Said("Revoked", reason is null ? what : $"{what} {reason}");
}
