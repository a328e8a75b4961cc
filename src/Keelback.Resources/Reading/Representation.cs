using System.Globalization;
using System.Security.Cryptography;
using Keelback.Web;

namespace Keelback.Resources;

/// <summary>One row as a caller sees it, and its ETag.</summary>
internal sealed class Representation(PooledBuffer json, uint? version) : IDisposable
{
    public ReadOnlyMemory<byte> Json => json.Written;

    /// <summary>
    /// A strong tag: the root row's version (xmin), which changes with every write to it, and a hash of the representation,
    /// which changes with what the representation takes from other rows.
    /// </summary>
    public string ETag { get; } = Tag(json.Written.Span, version);

    public void Dispose() => json.Dispose();

    private static string Tag(ReadOnlySpan<byte> json, uint? version)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(json, hash);
        return string.Create(CultureInfo.InvariantCulture, $"\"{version:x}-{Convert.ToHexStringLower(hash[..8])}\"");
    }
}
