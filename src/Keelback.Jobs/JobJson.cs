using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Jobs;

/// <summary>How payloads and results are written: camelCase members, enums by name, secret ones marked, unknown members skipped (newer code may have written them).</summary>
internal static class JobJson
{
    public static readonly JsonSerializerOptions Options = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            Converters = { new JsonStringEnumConverter() },
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { SecretMembers.Mark } },
        };
        options.MakeReadOnly();
        return options;
    }
}
