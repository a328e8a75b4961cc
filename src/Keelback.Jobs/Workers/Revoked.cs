using Npgsql;

namespace Keelback.Jobs;

/// <summary>The kinds and tags that may not run, as this process last read them: each second, and when it is woken.</summary>
internal sealed class Revoked(NpgsqlDataSource db)
{
    private volatile Dictionary<string, string?> _kinds = [];
    private volatile Dictionary<string, string?> _tags = [];

    public void Set(Dictionary<string, string?> kinds, Dictionary<string, string?> tags) => (_kinds, _tags) = (kinds, tags);

    /// <summary>Tells a claim what may not run, so that it takes no slot and no start.</summary>
    public ClaimRequest Tell(ClaimRequest claim) => claim with { RevokedKinds = [.. _kinds.Keys], RevokedTags = [.. _tags.Keys] };

    /// <summary>Of these claims those that were marked, and why. Asks the database only for them, and only while some tag is revoked.</summary>
    public async ValueTask<Dictionary<long, JobError>> AmongAsync(IReadOnlyList<Claim> claims, CancellationToken ct)
    {
        var found = new Dictionary<long, JobError>();
        foreach (var claim in claims.Where(c => c.IsRevoked))
            found[claim.RunId] = _kinds.TryGetValue(claim.Kind, out var reason)
                ? Error($"The kind '{claim.Kind}' is revoked.", reason)
                : Error("Its kind or a tag of it was revoked when it was to start.", null); // and is allowed again

        if (found.Count == 0 || _tags.Count == 0) return found;

        await using var command = db.CreateCommand("select run_id, tag from keelback.tag where run_id = any($1) and tag = any($2)");
        command.Parameters.AddWithValue(found.Keys.ToArray());
        command.Parameters.AddWithValue(_tags.Keys.ToArray());
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found[row.GetInt64(0)] = Error($"The tag '{row.GetString(1)}' is revoked.", _tags.GetValueOrDefault(row.GetString(1)));

        return found;
    }

    private static JobError Error(string what, string? reason) => JobError.Said("Revoked", reason is null ? what : $"{what} {reason}");
}
