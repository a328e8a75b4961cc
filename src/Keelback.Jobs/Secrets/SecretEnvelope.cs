using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>A secret in JSON: <c>{"$secret": "…"}</c> as it is stored; on its way there an object under a name that only this process knows, so that no argument looks like one.</summary>
internal static class SecretEnvelope
{
    public const string Name = "$secret";
    public static readonly string Open = RandomNumberGenerator.GetHexString(32);

    /// <summary>Whether there may be one in it.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> json) => json.IndexOf("\"$secret\""u8) >= 0;

    /// <summary>Around what is encrypted.</summary>
    public static JsonObject Of(string text) => new() { [Name] = text };

    /// <summary>Around what is to be.</summary>
    public static JsonObject ToSeal(JsonNode? value) => new() { [Name] = new JsonObject { [Open] = value } };

    /// <summary>What is encrypted in it; null: it is none, or not yet.</summary>
    public static string? Text(JsonNode? node) =>
        Content(node) is JsonValue value && value.TryGetValue(out string? text) && text is ['k' or 'p', ':', ..] ? text : null;

    /// <summary>Whether it is one that is to be sealed, and of what.</summary>
    public static bool IsToSeal(JsonNode? node, out JsonNode? value)
    {
        value = null;
        return Content(node) is JsonObject { Count: 1 } content && content.TryGetPropertyValue(Open, out value);
    }

    /// <summary>The same without those that are to be sealed, what is in them in their place.</summary>
    public static JsonNode? Unwrapped(JsonNode? node) => Replace(node, (envelope, _, _) => IsToSeal(envelope, out var value) ? Unwrapped(value)?.DeepClone() : envelope);

    /// <summary>Whether it is one, sealed or not.</summary>
    public static bool Is(JsonNode? node) => Text(node) is not null || IsToSeal(node, out _);

    /// <inheritdoc cref="Is(JsonNode?)"/>
    public static bool Is(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.GetPropertyCount() == 1 && element.TryGetProperty(Name, out _);

    /// <summary>Puts something else in the place of every one, wherever it stands, and answers the root.</summary>
    /// <param name="node">The root, whose members and items are replaced in it.</param>
    /// <param name="change">Gets the envelope, the name of the member that it is or is an item of, and how deep it stands: 1 for a member of the root.</param>
    public static JsonNode? Replace(JsonNode? node, Func<JsonNode, string, int, JsonNode?> change) => Replace(node, "", 0, change);

    private static JsonNode? Replace(JsonNode? node, string name, int depth, Func<JsonNode, string, int, JsonNode?> change)
    {
        switch (node)
        {
            case not null when Is(node):
                return change(node, name, depth);
            case JsonObject members:
                foreach (var (member, value) in members.ToList()) Put(value, Replace(value, member, depth + 1, change), changed => members[member] = changed);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++) Put(items[i], Replace(items[i], name, depth + 1, change), changed => items[i] = changed);
                break;
        }

        return node;
    }

    private static void Put(JsonNode? old, JsonNode? changed, Action<JsonNode?> put)
    {
        if (!ReferenceEquals(old, changed)) put(changed);
    }

    private static JsonNode? Content(JsonNode? node) => node is JsonObject { Count: 1 } envelope ? envelope[Name] : null;
}
