using System.Text.Json;

namespace Keelback.Jobs.Tests;

/// <summary>Kinds written by hand, whose body is the test's own lambda.</summary>
internal static class TestJobs
{
    public static JobKind Kind(string name, Func<JobCall, Task> body, Action<JobAttribute>? configure = null) =>
        Kind<object?>(name, async call =>
        {
            await body(call);
            return null;
        }, configure);

    public static JobKind Kind<T>(string name, Func<JobCall, Task<T>> body, Action<JobAttribute>? configure = null)
    {
        var defaults = new JobAttribute(name);
        configure?.Invoke(defaults);
        return new(name, typeof(TestJobs), defaults, async call => JobCall.Result(await body(call)));
    }

    /// <summary>The same kind with what attributes its method would have.</summary>
    public static JobKind With(this JobKind kind, params JobMetadataAttribute[] metadata) =>
        new(kind.Name, kind.DeclaredBy, kind.Defaults, kind.Run) { Metadata = metadata, Secrets = kind.Secrets };

    /// <summary>The same kind with parameters that are [Secret].</summary>
    public static JobKind Secret(this JobKind kind, params string[] parameters) =>
        new(kind.Name, kind.DeclaredBy, kind.Defaults, kind.Run) { Metadata = kind.Metadata, Secrets = parameters };

    public static Job Call(this JobKind kind, object? arguments = null, params JobBinding[] bindings) =>
        new(kind, Payload(arguments), bindings);

    public static Job<T> Call<T>(this JobKind kind, object? arguments = null, params JobBinding[] bindings) =>
        new(kind, Payload(arguments), bindings);

    private static ReadOnlyMemory<byte> Payload(object? arguments) =>
        arguments is null ? default : JsonSerializer.SerializeToUtf8Bytes(arguments, JobJson.Options);
}
