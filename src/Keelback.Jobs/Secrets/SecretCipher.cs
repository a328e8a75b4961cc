using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>Where a secret stands: it can be opened there alone.</summary>
/// <param name="Kind">The job's.</param>
/// <param name="Name">The member's, in JSON.</param>
/// <param name="IsParameter">Whether the member is an argument of the job; another goes from one job's result to the next one's arguments, and is bound to its name alone.</param>
internal readonly record struct SecretPlace(string Kind, string Name, bool IsParameter = false)
{
    public string Bound => IsParameter ? $"{Kind}/{Name}" : $"/{Name}";
}

/// <summary>Encrypts and decrypts texts: by a key of the options with AES-GCM, or by the app's data protection.</summary>
internal sealed class SecretCipher(IServiceProvider services, IOptions<JobsOptions> options)
{
    private const int NonceBytes = 12, TagBytes = 16;

    private byte[][] Keys => [.. options.Value.SecretKeys.Select(Convert.FromBase64String)];

    private IDataProtectionProvider? Protection => services.GetService<IDataProtectionProvider>();

    public bool HasKey => options.Value.SecretKeys.Count > 0 || Protection is not null;

    /// <exception cref="KeelbackException">KB1277: there is no key.</exception>
    public string Encrypt(SecretPlace place, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        if (Keys is not [var key, ..]) return "p:" + Convert.ToBase64String(Protector(place).Protect(plain));

        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), Encoding.UTF8.GetBytes(place.Bound));
        return "k:" + Convert.ToBase64String(sealedBytes);
    }

    /// <exception cref="KeelbackException">KB1277; KB1278: no key opens it.</exception>
    public string Decrypt(SecretPlace place, string text)
    {
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[2..], bytes, out var length) || length < NonceBytes + TagBytes) throw NotReadable(null);
        bytes = bytes[..length];
        try
        {
            if (text.StartsWith("p:", StringComparison.Ordinal)) return Encoding.UTF8.GetString(Protector(place).Unprotect(bytes));
        }
        catch (CryptographicException e)
        {
            throw NotReadable(e);
        }

        foreach (var key in Keys)
        {
            try
            {
                var plain = new byte[bytes.Length - NonceBytes - TagBytes];
                using var aes = new AesGcm(key, TagBytes);
                aes.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes), plain, Encoding.UTF8.GetBytes(place.Bound));
                return Encoding.UTF8.GetString(plain);
            }
            catch (CryptographicException)
            {
                // Not this key: an older one may be next.
            }
        }

        throw NotReadable(null);

        KeelbackException NotReadable(Exception? inner) => JobErrors.SecretNotReadable(place.Kind, place.Name, inner);
    }

    private IDataProtector Protector(SecretPlace place)
    {
        var protection = Protection ?? throw JobErrors.NoSecretKey(place.Kind);
        return place.IsParameter ? protection.CreateProtector("Keelback.Jobs", place.Kind, place.Name) : protection.CreateProtector("Keelback.Jobs.Members", place.Name);
    }
}
