using System.Diagnostics.CodeAnalysis;
using Keelback.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Resources on an app's routes.</summary>
public static class ResourceEndpointExtensions
{
    /// <summary>
    /// Maps a resource: <c>GET</c> the pattern lists, <c>GET</c> the pattern and <c>/{id}</c> retrieves; as far as the resource allows,
    /// <c>POST</c> creates, <c>PATCH</c> changes the members that are sent, <c>DELETE</c> deletes.
    /// </summary>
    /// <remarks>Each is a route endpoint of its own. Without a policy or <c>.AllowAnonymous()</c> the app does not start (KB1401).</remarks>
    /// <typeparam name="TResource">A class that derives from <see cref="Resource{T, TDto}"/>.</typeparam>
    /// <returns>The endpoints, to say more about: who may call them, how often, their tags.</returns>
    public static RouteGroupBuilder MapResource<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] TResource>(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
        where TResource : Resource
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var map = services.GetService<ResourceMap>() ?? throw ResourceErrors.NotAdded(typeof(TResource).Name);
        var naming = services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions.PropertyNamingPolicy;

        using var scope = services.CreateScope();
        var resource = ActivatorUtilities.CreateInstance<TResource>(scope.ServiceProvider);
        var group = endpoints.MapGroup(pattern);
        resource.Map(group, name => naming?.ConvertName(name) ?? name);
        map.Add(endpoints);

        return group;
    }
}
