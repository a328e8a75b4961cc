using System.ComponentModel;
using System.Text;
using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>Builds one call's payload, argument by argument, as the generated statics do.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class JobPayload
{
    /// <summary>The member that holds the kind's version, where it is not the first. No parameter can have the name.</summary>
    internal const string Version = "$version";

    private PayloadWriter? _writer = PayloadWriter.Take();
    private List<JobBinding>? _bindings;

    /// <summary>An object that is still open.</summary>
    public JobPayload() => Json.WriteStartObject();

    private Utf8JsonWriter Json => _writer?.Json ?? throw new InvalidOperationException("The payload is closed.");

    /// <summary>An argument that needs no serializer.</summary>
    public JobPayload Add(string parameter, string? value)
    {
        if (value is not null && value.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') >= 0 && value.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar) && !value.Contains('\uFFFD'))
            throw JobErrors.ArgumentNotJson(parameter, typeof(string), null); // half of a surrogate pair, which the writer would replace without a word
        Json.WriteString(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, bool value)
    {
        Json.WriteBoolean(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, int value)
    {
        Json.WriteNumber(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, long value)
    {
        Json.WriteNumber(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, double value)
    {
        if (!double.IsFinite(value)) throw JobErrors.ArgumentNotJson(parameter, typeof(double), null);
        Json.WriteNumber(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, decimal value)
    {
        Json.WriteNumber(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, Guid value)
    {
        Json.WriteString(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, DateTime value)
    {
        Json.WriteString(parameter, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string?)"/>
    public JobPayload Add(string parameter, DateTimeOffset value)
    {
        Json.WriteString(parameter, value);
        return this;
    }

    /// <summary>An argument that the serializer writes.</summary>
    public JobPayload Add<T>(string parameter, T value)
    {
        Json.WritePropertyName(parameter);
        try
        {
            JsonSerializer.Serialize(Json, value, JobJson.Options);
            return this;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw JobErrors.ArgumentNotJson(parameter, typeof(T), e); // NaN, a circle, a depth over 64, half of a surrogate pair
        }
    }

    /// <summary>An argument that is a value, or another job's result.</summary>
    /// <exception cref="KeelbackException">KB1250: it is neither.</exception>
    public JobPayload Add<T>(string parameter, Arg<T> argument) =>
        argument.IsGiven ? AddGiven(parameter, argument) : throw JobErrors.EmptyArgument(parameter);

    /// <summary>The same, of an optional parameter.</summary>
    public JobPayload Add<T>(string parameter, Arg<T> argument, T fallback) =>
        argument.IsGiven ? AddGiven(parameter, argument) : Add(parameter, fallback);

    /// <inheritdoc cref="Add{T}(string, Arg{T})"/>
    public JobPayload Add<T>(string parameter, ListArg<T> argument) =>
        argument.IsGiven ? AddGiven(parameter, argument) : throw JobErrors.EmptyArgument(parameter);

    /// <inheritdoc cref="Add{T}(string, Arg{T}, T)"/>
    public JobPayload Add<T>(string parameter, ListArg<T> argument, IEnumerable<T>? fallback) =>
        argument.IsGiven ? AddGiven(parameter, argument) : Add(parameter, fallback);

    /// <summary>Closes the payload.</summary>
    public Job ToJob(JobKind kind) => new(kind, Close(kind), _bindings ?? []);

    /// <summary>Closes the payload of a job with a result.</summary>
    public Job<T> ToJob<T>(JobKind kind) => new(kind, Close(kind), _bindings ?? []);

    private JobPayload AddGiven<T>(string parameter, Arg<T> argument) =>
        argument.Source is null ? Add(parameter, argument.Value) : Bind(parameter, argument.Source);

    private JobPayload AddGiven<T>(string parameter, ListArg<T> argument) =>
        argument.Source is null ? Add(parameter, argument.Value) : Bind(parameter, argument.Source);

    private JobPayload Bind(string parameter, Job source)
    {
        (_bindings ??= []).Add(JobBinding.Of(parameter, source));
        return this;
    }

    private ReadOnlyMemory<byte> Close(JobKind kind)
    {
        if (kind.Defaults.Version > 1) Json.WriteNumber(Version, kind.Defaults.Version);
        Json.WriteEndObject();
        var payload = _writer!.Close();
        _writer = null;
        return payload;
    }
}
