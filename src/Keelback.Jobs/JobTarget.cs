using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs;

/// <summary>The object whose method a run calls: the container's when it is registered there, else made for this run and disposed with it.</summary>
internal readonly struct JobTarget<T> : IAsyncDisposable
    where T : class
{
    private static readonly ObjectFactory<T> s_create = ActivatorUtilities.CreateFactory<T>([]);

    private readonly bool _isOurs;

    public JobTarget(IServiceProvider services)
    {
        var registered = services.GetService<T>();
        _isOurs = registered is null;
        Value = registered ?? s_create(services, null);
    }

    public T Value { get; }

    public ValueTask DisposeAsync()
    {
        if (!_isOurs) return default;
        if (Value is IAsyncDisposable later) return later.DisposeAsync();

        (Value as IDisposable)?.Dispose();
        return default;
    }
}
