using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>Reads a stored payload as this program's code wants it: brought to the kind's version, secrets in the open.</summary>
internal sealed class PayloadReader(JobSecrets secrets)
{
    /// <exception cref="NewerPayloadException">Newer code wrote it.</exception>
    /// <exception cref="KeelbackException">KB1276: a version that nothing upgrades. KB1278: a secret that no key opens.</exception>
    public JsonDocument Read(JobKind kind, byte[] input)
    {
        var document = JsonDocument.Parse(input);
        var version = document.RootElement.TryGetProperty(JobPayload.Version, out var written) ? written.GetInt32() : 1;
        if (version == kind.Defaults.Version && !MustOpen(kind, input)) return document;

        using (document)
        {
            if (version > kind.Defaults.Version) throw new NewerPayloadException(version);

            var members = JsonObject.Create(document.RootElement)!;
            secrets.Open(kind, members); // before the upgrades, which may rename what older code had sealed
            return JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(Upgrade(kind, members, version)));
        }
    }

    /// <summary>The arguments of a stored call as a call of today has them, with its version: for who makes one of it, and fills its keys from them.</summary>
    /// <param name="kind">The call's.</param>
    /// <param name="members">What is stored; may be changed.</param>
    /// <param name="isWhole">Whether none is another job's result. An upgrade gets all arguments: where some are not known yet, it waits until the call runs.</param>
    /// <remarks>So it does where something is sealed: it would have to be opened before, and the upgrade may put it where nobody seals it again.</remarks>
    /// <exception cref="KeelbackException">KB1276.</exception>
    public static JsonObject Current(JobKind kind, JsonObject members, bool isWhole)
    {
        var version = members[JobPayload.Version]?.GetValue<int>() ?? 1;
        if (version >= kind.Defaults.Version || !isWhole || SecretEnvelope.MayBeIn(JsonSerializer.SerializeToUtf8Bytes(members))) return members;

        members = Upgrade(kind, members, version);
        members[JobPayload.Version] = kind.Defaults.Version;
        return members;
    }

    private static JsonObject Upgrade(JobKind kind, JsonObject members, int version)
    {
        members.Remove(JobPayload.Version);
        for (; version < kind.Defaults.Version; version++)
            members = (kind.Metadata.OfType<UpgradeAttribute>().FirstOrDefault(u => u.From == version) ?? throw JobErrors.NoUpgrade(kind, version)).Apply(members);

        return members;
    }

    // The engine's own jobs hand on what they have, and that is stored.
    private static bool MustOpen(JobKind kind, byte[] input) => kind.DeclaredBy != typeof(Job) && SecretEnvelope.MayBeIn(input);
}

/// <summary>A payload that is of a later version than this program knows: handed back, like a kind that it does not know.</summary>
internal sealed class NewerPayloadException(int version) : Exception
{
    public int Version { get; } = version;
}
