using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>One attempt, as filters see it.</summary>
public sealed class JobInvocation
{
    internal JobInvocation(JobKind kind, JobCall call, JobContext context) => (Metadata, Call, Context) = (kind.Metadata, call, context);

    /// <summary>Run, attempt, queue and the like.</summary>
    public JobContext Context { get; }

    /// <summary>The attempt's scope.</summary>
    public IServiceProvider Services => Call.Services;

    /// <summary>The attributes of the job's method that derive from <see cref="JobMetadataAttribute"/>.</summary>
    public IReadOnlyList<JobMetadataAttribute> Metadata { get; }

    /// <summary>The arguments, those included that are other jobs' results; secrets in the open.</summary>
    public JsonElement Payload => Call.Input;

    /// <summary>Cancelled by a timeout, a cancelled run, a lost lease, or shutdown.</summary>
    public CancellationToken Cancellation => Call.Cancellation;

    /// <summary>UTF-8 JSON of the result, once the method has run; empty for none. What it is at last is stored.</summary>
    public ReadOnlyMemory<byte> Result { get; set; }

    internal JobCall Call { get; }
}
