using System.Text.Json;
using System.Text.Json.Serialization;

namespace Keelback.Jobs;

/// <summary>How payloads and results are written: camelCase members, enums by name, unknown members skipped (newer code may have written them).</summary>
internal static class JobJson
{
    public static readonly JsonSerializerOptions Options = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
