using System.Text.Json;
using System.Text.Json.Serialization;

namespace Keelback.Jobs;

/// <summary>What of a schedule is stored as JSON.</summary>
/// <param name="Trigger">When it ticks.</param>
/// <param name="Options">Its policies.</param>
/// <param name="Call">What a tick enqueues; of a live call what the code said when it was last asked.</param>
/// <param name="IsLive">Whether the code makes the call anew for each tick.</param>
internal sealed record ScheduleDefinition(Trigger Trigger, ScheduleOptions Options, StoredCall Call, bool IsLive)
{
    // jsonb orders members by itself.
    private static readonly JsonSerializerOptions s_json = new(JobJson.Options)
    {
        AllowOutOfOrderMetadataProperties = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static ScheduleDefinition Parse(string json) => JsonSerializer.Deserialize<ScheduleDefinition>(json, s_json)!;

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    public TickSource Ticks(string name, DateTimeOffset anchor) => new(Trigger, Options, name, anchor);

    /// <summary>A live call is the code's to say, even where the times are not: who fires is judged by the jobs that it enqueues now.</summary>
    public ScheduleDefinition WithCallOf(ScheduleDefinition code) => IsLive ? this with { Call = code.Call } : this;

    /// <summary>Whether both say the same; what a live call looks like at one tick or another is no difference.</summary>
    public bool IsAs(ScheduleDefinition other) =>
        IsLive == other.IsLive && Call.Kinds.SequenceEqual(other.Call.Kinds) && (this with { Call = other.Call }).ToJson() == other.ToJson();

    /// <summary>Whether both tick at the same times; else the next tick is looked for anew.</summary>
    public bool TicksAs(ScheduleDefinition other) =>
        JsonSerializer.Serialize(Trigger, s_json) == JsonSerializer.Serialize(other.Trigger, s_json) && Bounds(Options) == Bounds(other.Options);

    private static string Bounds(ScheduleOptions o) => JsonSerializer.Serialize(new { o.Start, o.End, o.Holidays, o.OnHoliday, o.MaxRuns }, s_json);
}
