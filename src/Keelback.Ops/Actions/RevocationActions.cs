using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Keeps kinds and tags from running, and takes that back; each in the audit.</summary>
internal sealed class RevocationActions(JobRevocations revocations, KnownNames names, AuditWriter audit)
{
    public static readonly string[] What = ["kind", "tag"];

    /// <summary>From now on nothing of it starts. A tag may come later; a kind must be known, unless it is said to be <paramref name="unknown"/>.</summary>
    /// <exception cref="KeelbackException">KB1718: neither a kind nor a tag, or none named. KB1704: there is no such kind. KB1727: for over 100 years.</exception>
    public async Task<ActionResult> RevokeAsync(string what, string value, TimeSpan? lasting, string? reason, bool unknown, Actor actor, CancellationToken ct)
    {
        Check(what, value);
        if (lasting > JobRevocations.Longest) throw OpsErrors.RevokedTooLong(lasting.Value);
        if (what == "kind" && !unknown && await names.OtherKindsAsync(value, ct) is { } others) throw OpsErrors.NoSuchKind(value, others, revokes: true);
        return await audit.AuditAsync(actor, "revoke", $"{what} {value}", null, async () =>
        {
            if (what == "kind") await revocations.RevokeKindAsync(value, lasting, reason, ct);
            else await revocations.RevokeTagAsync(value, lasting, reason, ct);
            return new(true, lasting is { } time ? $"revoked for {Show.Span(time)}" : "revoked", JsonSerializer.Serialize(new { reason }, OpsJson.Options));
        }, ct);
    }

    /// <summary>Takes it back.</summary>
    /// <exception cref="KeelbackException">KB1718: neither a kind nor a tag, or none named. KB1719: it is not revoked.</exception>
    public async Task<ActionResult> AllowAsync(string what, string value, Actor actor, CancellationToken ct)
    {
        Check(what, value);
        var now = (await revocations.ListAsync(ct)).Select(r => what == "kind" ? r.Kind : r.Tag).OfType<string>().ToList();
        if (!now.Contains(value)) throw OpsErrors.NotRevoked(what, value, now);

        return await audit.AuditAsync(actor, "allow", $"{what} {value}", null, async () =>
            await (what == "kind" ? revocations.AllowKindAsync(value, ct) : revocations.AllowTagAsync(value, ct)) ? new(true, "allowed again") : new(false, "was not revoked"), ct);
    }

    private static void Check(string what, string value)
    {
        if (!What.Contains(what) || string.IsNullOrWhiteSpace(value)) throw OpsErrors.BadRevocation(what, value);
    }
}
