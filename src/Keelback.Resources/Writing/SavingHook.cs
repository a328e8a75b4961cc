using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources;

/// <summary>Calls the resource's own <c>SavingAsync</c>, on an instance from the request's services.</summary>
internal sealed class SavingHook<T>
    where T : class
{
    private readonly Func<Saving<T>, IServiceProvider, CancellationToken, ValueTask> _call;

    private SavingHook(bool isEmpty, Func<Saving<T>, IServiceProvider, CancellationToken, ValueTask> call) =>
        (IsEmpty, _call) = (isEmpty, call);

    /// <summary>The resource has none of its own.</summary>
    public bool IsEmpty { get; }

    public static SavingHook<T> Of<TDto>(Resource<T, TDto> resource)
        where TDto : class
    {
        var method = resource.GetType().GetMethod(
            "SavingAsync", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(Saving<T>), typeof(CancellationToken)])!;
        var create = ActivatorUtilities.CreateFactory(resource.GetType(), []);

        return new(method.DeclaringType == typeof(Resource<T, TDto>),
            (saving, services, ct) => ((Resource<T, TDto>)create(services, [])).CallSavingAsync(saving, ct));
    }

    public ValueTask CallAsync(Saving<T> saving, IServiceProvider services, CancellationToken ct) => _call(saving, services, ct);
}
