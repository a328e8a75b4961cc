using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>Seals the secrets of payloads, results and progress before they are stored, and opens them for who runs the job or asks for its result.</summary>
internal sealed class JobSecrets(SecretCipher cipher)
{
    /// <inheritdoc cref="SecretCipher.HasKey"/>
    public bool HasKey => cipher.HasKey;

    /// <summary>The parameters that the kind calls secret, and the members that are. What is sealed already, as the arguments of a run that is copied are, stays as it is.</summary>
    /// <exception cref="KeelbackException">KB1277: there is no key. KB1278: something is sealed, and no key opens it.</exception>
    public ReadOnlyMemory<byte> Seal(JobKind kind, ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty || (kind.Secrets.Count == 0 && !SecretEnvelope.MayBeIn(payload.Span))) return payload;

        var arguments = JsonNode.Parse(payload.Span)!.AsObject();
        foreach (var name in kind.Secrets)
            if (arguments.TryGetPropertyValue(name, out var value) && !SecretEnvelope.Is(value))
                arguments[name] = SecretEnvelope.ToSeal(value?.DeepClone());
        SecretEnvelope.Replace(arguments, (envelope, name, depth) => Seal(envelope, new(kind.Name, name, IsParameter: depth == 1)));
        return JsonSerializer.SerializeToUtf8Bytes(arguments);
    }

    /// <summary>The members of a result, or of what a job reports.</summary>
    /// <inheritdoc cref="Seal(JobKind, ReadOnlyMemory{byte})"/>
    public ReadOnlyMemory<byte> Seal(string kind, ReadOnlyMemory<byte> result) =>
        SecretEnvelope.MayBeIn(result.Span) ? JsonSerializer.SerializeToUtf8Bytes(SecretEnvelope.Replace(JsonNode.Parse(result.Span), (envelope, name, _) => Seal(envelope, new(kind, name)))) : result;

    /// <summary>All that is sealed, whatever the kind calls secret today: older code may have written it. For who runs it, and stores it no more.</summary>
    /// <exception cref="KeelbackException">KB1278: no key opens it.</exception>
    public void Open(JobKind kind, JsonObject arguments) =>
        SecretEnvelope.Replace(arguments, (envelope, name, depth) => Open(envelope, new(kind.Name, name, IsParameter: depth == 1)));

    /// <summary>A result, or what a job reported.</summary>
    /// <inheritdoc cref="Open(JobKind, JsonObject)"/>
    public JsonElement Open(string kind, JsonElement result) => SecretEnvelope.MayBeIn(JsonMarshal.GetRawUtf8Value(result))
        ? JsonSerializer.SerializeToElement(Opened(JsonSerializer.SerializeToNode(result), kind))
        : result;

    private JsonNode? Seal(JsonNode envelope, SecretPlace place)
    {
        if (SecretEnvelope.Text(envelope) is not { } text)
            return SecretEnvelope.Of(cipher.Encrypt(place, SecretEnvelope.Unwrapped(envelope)?.ToJsonString() ?? "null")); // a secret inside of a secret is covered by it

        cipher.Decrypt(place, text); // now, when the caller can still be told
        return envelope;
    }

    private JsonNode? Open(JsonNode envelope, SecretPlace place) => SecretEnvelope.Text(envelope) is { } text
        ? Opened(JsonNode.Parse(cipher.Decrypt(place, text)), place.Kind) // an argument that was sealed as a whole may hold what was a member of a result
        : envelope;

    private JsonNode? Opened(JsonNode? node, string kind) => SecretEnvelope.Replace(node, (envelope, name, _) => Open(envelope, new(kind, name)));
}
