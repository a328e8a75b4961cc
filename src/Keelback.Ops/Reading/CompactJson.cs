using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Keelback.Ops;

/// <summary>JSON without white space and without escapes that need not be: not longer than a program wrote it.</summary>
internal static class CompactJson
{
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Of(JsonElement value) => JsonSerializer.SerializeToUtf8Bytes(value, s_compact);

    public static string Of(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Encoding.UTF8.GetString(Of(document.RootElement));
    }
}
