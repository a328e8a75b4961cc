using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Keelback.Data;

/// <summary>PostgreSQL's spelling of C# names.</summary>
internal static class SnakeCase
{
    // NAMEDATALEN - 1, in bytes; the server cuts longer names silently, and two may then be one.
    private const int MaxBytes = 63;

    /// <summary><c>InvoiceLine</c> gives <c>invoice_line</c>.</summary>
    public static string Of(string name) => Fit(JsonNamingPolicy.SnakeCaseLower.ConvertName(name));

    /// <summary>Each in snake_case, joined by underscores; a name over 63 bytes is cut and ends in a hash of the whole.</summary>
    public static string Join(params IEnumerable<string> parts) => Fit(string.Join('_', parts.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)));

    private static string Fit(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= MaxBytes) return name;

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 4));
        var cut = new StringBuilder();
        var bytes = hash.Length + 1;
        foreach (var rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes) break;
            cut.Append(rune);
        }

        return $"{cut}_{hash}";
    }
}
