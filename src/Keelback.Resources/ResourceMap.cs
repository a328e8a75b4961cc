using Microsoft.AspNetCore.Routing;

namespace Keelback.Resources;

/// <summary>Every resource endpoint that was mapped, with what was said about it afterwards.</summary>
internal sealed class ResourceMap
{
    private readonly HashSet<IEndpointRouteBuilder> _builders = [];

    public void Add(IEndpointRouteBuilder builder) => _builders.Add(builder);

    /// <summary>Built anew on each call, so that conventions added since are in.</summary>
    public IEnumerable<(RouteEndpoint Route, ResourceEndpoint Resource)> Endpoints() =>
        from builder in _builders
        from source in builder.DataSources
        from endpoint in source.Endpoints.OfType<RouteEndpoint>()
        let resource = endpoint.Metadata.GetMetadata<ResourceEndpoint>()
        where resource is not null
        select (endpoint, resource);
}
