using System.Reflection;
using Microsoft.AspNetCore.Routing;

namespace Keelback.Resources;

/// <summary>Every endpoint of the apps that map something of ours, with what was said about it afterwards.</summary>
internal sealed class ResourceMap
{
    // A group does not know the prefixes and policies of the groups around it, and has no public way to them.
    private static readonly FieldInfo? s_outer =
        typeof(RouteGroupBuilder).GetField("_outerEndpointRouteBuilder", BindingFlags.Instance | BindingFlags.NonPublic);

    private readonly HashSet<IEndpointRouteBuilder> _builders = [];

    /// <summary>Remembers the app behind a builder.</summary>
    public void Add(IEndpointRouteBuilder builder)
    {
        while (builder is RouteGroupBuilder && s_outer?.GetValue(builder) is IEndpointRouteBuilder outer) builder = outer;
        _builders.Add(builder);
    }

    /// <summary>Built anew on each call, so that conventions added since are in.</summary>
    public IEnumerable<RouteEndpoint> Routes() =>
        from builder in _builders
        from source in builder.DataSources
        from endpoint in source.Endpoints.OfType<RouteEndpoint>()
        select endpoint;

    /// <summary>Those of resources.</summary>
    public IEnumerable<(RouteEndpoint Route, ResourceEndpoint Resource)> Endpoints() =>
        from endpoint in Routes()
        let resource = endpoint.Metadata.GetMetadata<ResourceEndpoint>()
        where resource is not null
        select (endpoint, resource);
}
