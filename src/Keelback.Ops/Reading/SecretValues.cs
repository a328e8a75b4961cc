using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Secrets in stored JSON as people see them: not at all, not even encrypted.</summary>
internal static class SecretValues
{
    public const string Shown = "(secret)";

    private static readonly JsonSerializerOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is stored, to be shown.</summary>
    public static string Hide(string stored) =>
        MayBeIn(stored) ? SecretEnvelope.Replace(JsonNode.Parse(stored), (_, _, _) => Shown)?.ToJsonString(s_relaxed) ?? stored : stored;

    /// <summary>New arguments of which those are secret that stand where old ones are: one that was left as it is shown has its stored value again, any other is to be sealed.</summary>
    /// <exception cref="KeelbackException">KB1732: what is shown stands where no secret was.</exception>
    public static byte[] Keep(byte[] given, string stored)
    {
        if (!MayBeIn(stored)) return given;

        var old = JsonNode.Parse(stored);
        return Encoding.UTF8.GetBytes(Kept(JsonNode.Parse(given), old, "", PlacesIn(old))!.ToJsonString(s_relaxed));
    }

    private static bool MayBeIn(string stored) => stored.Contains($"\"{SecretEnvelope.Name}\"", StringComparison.Ordinal);

    // An item of a list has the same place as the others.
    private static HashSet<string> PlacesIn(JsonNode? old)
    {
        var places = new HashSet<string>(StringComparer.Ordinal);
        Look(old, "");
        return places;

        void Look(JsonNode? node, string place)
        {
            if (SecretEnvelope.Is(node)) places.Add(place);
            else if (node is JsonObject members)
                foreach (var (name, value) in members) Look(value, Member(place, name));
            else if (node is JsonArray items)
                foreach (var item in items) Look(item, Item(place));
        }
    }

    private static JsonNode? Kept(JsonNode? given, JsonNode? old, string place, HashSet<string> places)
    {
        var isShown = given is JsonValue value && value.TryGetValue(out string? text) && text == Shown;
        if (isShown && SecretEnvelope.Is(old)) return old!.DeepClone();
        if (isShown && places.Contains(place)) throw OpsErrors.NoSecretToKeep(place);
        if (places.Contains(place)) return SecretEnvelope.Is(given) ? given!.DeepClone() : SecretEnvelope.ToSeal(given?.DeepClone());

        return given switch
        {
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Kept(m.Value, (old as JsonObject)?[m.Key], Member(place, m.Key), places)))),
            JsonArray items => new JsonArray([.. items.Select((item, i) => Kept(item, old is JsonArray all && i < all.Count ? all[i] : null, Item(place), places))]),
            _ => given?.DeepClone(),
        };
    }

    private static string Member(string place, string name) => place.Length == 0 ? name : $"{place}.{name}";

    private static string Item(string place) => place + "[]";
}
