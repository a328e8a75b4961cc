using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Secret arguments as people see them: not at all, not even encrypted.</summary>
internal static class SecretArguments
{
    public const string Shown = "(secret)";

    private static readonly JsonSerializerOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Which members of stored arguments are secret.</summary>
    public static IReadOnlyList<string> In(string stored) =>
        !stored.Contains("$secret", StringComparison.Ordinal) || JsonNode.Parse(stored) is not JsonObject members ? []
        : [.. members.Where(m => JobSecrets.Sealed(m.Value) is not null).Select(m => m.Key)];

    /// <summary>Stored arguments to be shown.</summary>
    public static string Hide(string stored)
    {
        if (In(stored) is not { Count: > 0 } secrets) return stored;

        var members = JsonNode.Parse(stored)!.AsObject();
        foreach (var name in secrets) members[name] = Shown;
        return members.ToJsonString(s_relaxed);
    }

    /// <summary>New arguments in which a secret that was left as it is shown has its stored value again, sealed.</summary>
    public static byte[] Keep(byte[] given, string stored)
    {
        if (In(stored) is not { Count: > 0 } secrets) return given;

        var (members, old) = (JsonNode.Parse(given)!.AsObject(), JsonNode.Parse(stored)!);
        foreach (var name in secrets)
            if (members[name] is JsonValue value && value.TryGetValue(out string? text) && text == Shown)
                members[name] = old[name]!.DeepClone();
        return Encoding.UTF8.GetBytes(members.ToJsonString(s_relaxed));
    }
}
