using System.Buffers;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>Builds one call's payload, argument by argument, as the generated statics do.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1001", Justification = "Closing the payload disposes the writer; an unclosed one holds only memory.")]
public sealed class JobPayload
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64);
    private readonly Utf8JsonWriter _json;
    private List<JobBinding>? _bindings;

    /// <summary>An object that is still open.</summary>
    public JobPayload()
    {
        _json = new(_buffer);
        _json.WriteStartObject();
    }

    /// <summary>For the arguments that <see cref="Utf8JsonWriter"/> can write by itself; the object is open.</summary>
    public Utf8JsonWriter Json => _json;

    /// <summary>An argument that the serializer writes.</summary>
    public JobPayload Add<T>(string parameter, T value)
    {
        _json.WritePropertyName(parameter);
        JsonSerializer.Serialize(_json, value, JobJson.Options);
        return this;
    }

    /// <summary>An argument that is a value, or another job's result.</summary>
    public JobPayload Add<T>(string parameter, Arg<T> argument)
    {
        if (argument.Source is null) return Add(parameter, argument.Value);

        (_bindings ??= []).Add(new(parameter, argument.Source));
        return this;
    }

    /// <summary>Closes the payload.</summary>
    public Job ToJob(JobKind kind) => new(kind, Close(), _bindings ?? []);

    /// <summary>Closes the payload of a job with a result.</summary>
    public Job<T> ToJob<T>(JobKind kind) => new(kind, Close(), _bindings ?? []);

    private ReadOnlyMemory<byte> Close()
    {
        _json.WriteEndObject();
        _json.Dispose();
        return _buffer.WrittenMemory;
    }
}
