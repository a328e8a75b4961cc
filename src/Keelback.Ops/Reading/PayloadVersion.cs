using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>The version that stored arguments are of. It is the engine's: nobody is shown it, and nobody writes it.</summary>
internal static class PayloadVersion
{
    private static readonly JsonSerializerOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is stored, to be shown.</summary>
    public static string Hide(string stored)
    {
        if (!stored.Contains($"\"{JobPayload.Version}\"", StringComparison.Ordinal) || JsonNode.Parse(stored) is not JsonObject members) return stored;

        return members.Remove(JobPayload.Version) ? members.ToJsonString(s_relaxed) : stored;
    }

    /// <summary>New arguments as what they are: edited from those of an old run, so of its version, whatever the code's is by now.</summary>
    /// <exception cref="KeelbackException">KB1733: they say another version.</exception>
    public static byte[] Keep(byte[] given, string stored)
    {
        var members = JsonNode.Parse(given)!.AsObject();
        var isOld = JsonNode.Parse(stored)!.AsObject().TryGetPropertyValue(JobPayload.Version, out var old);
        var isSaid = members.TryGetPropertyValue(JobPayload.Version, out var said);
        if (isSaid && !JsonNode.DeepEquals(said, old ?? 1)) throw OpsErrors.OtherVersion(said?.ToJsonString() ?? "null", (old ?? 1).ToJsonString());
        if (!isSaid && !isOld) return given;

        members.Remove(JobPayload.Version);
        if (isOld) members[JobPayload.Version] = old!.DeepClone();
        return Encoding.UTF8.GetBytes(members.ToJsonString(s_relaxed));
    }
}
