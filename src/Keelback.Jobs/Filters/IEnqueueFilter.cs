using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>Sees each run before it is written, and may change its options or refuse it by an exception: nothing is written then. A singleton; or an attribute of the job's method.</summary>
/// <remarks>Synchronous, because enqueueing is part of a synchronous SaveChanges too. Called once a run, also where the write is tried again.</remarks>
public interface IEnqueueFilter
{
    /// <summary>Before the rows are written.</summary>
    void OnEnqueue(JobEnqueue job);
}

/// <summary>A run that is about to be written.</summary>
public sealed class JobEnqueue
{
    private readonly PlannedRun _run;

    internal JobEnqueue(PlannedRun run) => _run = run;

    /// <summary>The job's name in the database.</summary>
    public string Kind => _run.Kind.Name;

    /// <summary>The attributes of the job's method that derive from <see cref="JobMetadataAttribute"/>.</summary>
    public IReadOnlyList<JobMetadataAttribute> Metadata => _run.Kind.Metadata;

    /// <summary>What the call sets; what it leaves out is the kind's. Setting it replaces them.</summary>
    public EnqueueOptions Options
    {
        get => _run.Options ?? new();
        set => _run.Options = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>The arguments that are known now; secrets in the open.</summary>
    public JsonElement ReadPayload()
    {
        if (SecretEnvelope.MayBeIn(_run.Payload.Span)) return JsonSerializer.SerializeToElement(SecretEnvelope.Unwrapped(JsonNode.Parse(_run.Payload.Span)));

        using var document = JsonDocument.Parse(_run.Payload);
        return document.RootElement.Clone();
    }
}
