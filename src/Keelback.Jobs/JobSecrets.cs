using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>Encrypts a payload's secret members, each as <c>{"$secret": "…"}</c>, bound to its kind and name: one cannot stand in another's place.</summary>
internal sealed class JobSecrets(IServiceProvider services, IOptions<JobsOptions> options)
{
    private const string Envelope = "$secret";
    private const int NonceBytes = 12, TagBytes = 16;

    private byte[][] Keys => [.. options.Value.SecretKeys.Select(Convert.FromBase64String)];

    private IDataProtectionProvider? Protection => services.GetService<IDataProtectionProvider>();

    public bool HasKey => options.Value.SecretKeys.Count > 0 || Protection is not null;

    /// <summary>What is sealed already, as the arguments of a run that is copied are, stays as it is.</summary>
    /// <exception cref="KeelbackException">KB1277: there is no key. KB1278: something is sealed, and no key opens it.</exception>
    public ReadOnlyMemory<byte> Seal(JobKind kind, ReadOnlyMemory<byte> payload)
    {
        var members = JsonNode.Parse(payload.Span)!.AsObject();
        foreach (var name in kind.Secrets)
            if (Sealed(members[name]) is { } text)
                Decrypt(kind.Name, name, text); // now, when the caller can still be told
            else if (members.TryGetPropertyValue(name, out var value))
                members[name] = new JsonObject { [Envelope] = Encrypt(kind.Name, name, value?.ToJsonString() ?? "null") };

        return JsonSerializer.SerializeToUtf8Bytes(members);
    }

    /// <summary>Whether there may be something sealed in it.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> stored) => stored.IndexOf("\"$secret\""u8) >= 0;

    /// <summary>What the kind calls secret, and will seal again.</summary>
    /// <exception cref="KeelbackException">KB1278: no key opens it.</exception>
    public void Open(JobKind kind, JsonObject members) => Open(kind, members, kind.Secrets);

    /// <summary>Each under the name that it stands under, whatever the kind calls secret today: older code may have written it. For who runs it, and stores it no more.</summary>
    /// <inheritdoc cref="Open(JobKind, JsonObject)"/>
    public void OpenAll(JobKind kind, JsonObject members) => Open(kind, members, [.. members.Select(member => member.Key)]);

    private void Open(JobKind kind, JsonObject members, IEnumerable<string> names)
    {
        foreach (var name in names)
            if (Sealed(members[name]) is { } text)
                members[name] = JsonNode.Parse(Decrypt(kind.Name, name, text));
    }

    /// <summary>What is in an envelope; null: it is none.</summary>
    public static string? Sealed(JsonNode? member) =>
        member is JsonObject { Count: 1 } envelope && envelope[Envelope] is JsonValue value && value.TryGetValue(out string? text) && text is ['k' or 'p', ':', ..] ? text : null;

    private string Encrypt(string kind, string name, string json)
    {
        var plain = Encoding.UTF8.GetBytes(json);
        if (Keys is not [var key, ..])
            return "p:" + Convert.ToBase64String((Protection ?? throw JobErrors.NoSecretKey(kind)).CreateProtector("Keelback.Jobs", kind, name).Protect(plain));

        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), Place(kind, name));
        return "k:" + Convert.ToBase64String(sealedBytes);
    }

    private string Decrypt(string kind, string name, string text)
    {
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[2..], bytes, out var length) || length < NonceBytes + TagBytes) throw JobErrors.SecretNotReadable(kind, name, null);
        bytes = bytes[..length];
        try
        {
            if (text.StartsWith("p:", StringComparison.Ordinal))
                return Encoding.UTF8.GetString((Protection ?? throw JobErrors.NoSecretKey(kind)).CreateProtector("Keelback.Jobs", kind, name).Unprotect(bytes));
        }
        catch (CryptographicException e)
        {
            throw JobErrors.SecretNotReadable(kind, name, e);
        }

        foreach (var key in Keys)
        {
            try
            {
                var plain = new byte[bytes.Length - NonceBytes - TagBytes];
                using var aes = new AesGcm(key, TagBytes);
                aes.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes), plain, Place(kind, name));
                return Encoding.UTF8.GetString(plain);
            }
            catch (CryptographicException)
            {
                // Not this key: an older one may be next.
            }
        }

        throw JobErrors.SecretNotReadable(kind, name, null);
    }

    private static byte[] Place(string kind, string name) => Encoding.UTF8.GetBytes($"{kind}/{name}");
}
