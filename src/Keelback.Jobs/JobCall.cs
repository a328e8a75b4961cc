using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs;

/// <summary>What a running attempt gets: its services, its assembled input, its token. Read by generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class JobCall
{
    private readonly JsonElement _input;

    internal JobCall(IServiceProvider services, JsonElement input, CancellationToken cancellation) =>
        (Services, _input, Cancellation) = (services, input, cancellation);

    /// <summary>The scope of this attempt.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Cancelled by a timeout, a cancelled run, a lost lease, or shutdown.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Calls a method of a <typeparamref name="TTarget"/> from the scope.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync<TTarget>(Func<TTarget, JobCall, Task> method)
        where TTarget : class
    {
        await method(Services.GetRequiredService<TTarget>(), this);
        return default;
    }

    /// <summary>Calls a method of a <typeparamref name="TTarget"/> from the scope, and writes its result.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync<TTarget, TResult>(Func<TTarget, JobCall, Task<TResult>> method)
        where TTarget : class =>
        Written(await method(Services.GetRequiredService<TTarget>(), this));

    /// <summary>Calls a static method.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> RunStaticAsync(Func<JobCall, Task> method)
    {
        await method(this);
        return default;
    }

    /// <summary>Calls a static method, and writes its result.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> RunStaticAsync<TResult>(Func<JobCall, Task<TResult>> method) =>
        Written(await method(this));

    /// <summary>Reads one argument.</summary>
    /// <exception cref="KeelbackException">KB1204: missing. KB1205: not of the type.</exception>
    public T Get<T>(string parameter) =>
        _input.TryGetProperty(parameter, out var value)
            ? Read<T>(parameter, value)
            : throw JobErrors.PayloadLacks(parameter, typeof(T));

    /// <summary>Reads one argument that has a default, which older rows may lack.</summary>
    public T Get<T>(string parameter, T fallback) =>
        _input.TryGetProperty(parameter, out var value) ? Read<T>(parameter, value) : fallback;

    /// <summary>The result of a method, as it is stored.</summary>
    public static ReadOnlyMemory<byte> Result<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, JobJson.Options);

    internal JsonElement Input => _input;

    private ReadOnlyMemory<byte> Written<T>(T value)
    {
        try
        {
            return Result(value);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw JobErrors.ResultNotStorable(Services.GetRequiredService<JobContext>().Kind, e.Message, e);
        }
    }

    internal ReadOnlyMemory<byte> RawMembers() =>
        JsonSerializer.SerializeToUtf8Bytes(_input.GetProperty(JobBinding.Members));

    private static T Read<T>(string parameter, JsonElement value)
    {
        try
        {
            return value.Deserialize<T>(JobJson.Options)!;
        }
        catch (JsonException e)
        {
            throw JobErrors.PayloadDoesNotFit(parameter, typeof(T), e);
        }
    }
}
