using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Keelback.Resources;

/// <summary>Adds every mapped resource to the OpenAPI document, from the same definitions that answer the requests.</summary>
internal sealed class ResourceDocument(ResourceMap map) : IOpenApiDocumentTransformer
{
    public async Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        await using var scope = context.ApplicationServices.CreateAsyncScope();
        var schemas = new ResourceSchemas(document, context);
        document.Paths ??= [];

        foreach (var (route, endpoint) in map.Endpoints())
        {
            var operation = new ResourceOperation(endpoint, endpoint.Source.Inputs(scope.ServiceProvider), schemas, document);
            var item = Item(document.Paths, "/" + route.RoutePattern.RawText!.Trim('/'));
            item.Operations ??= [];
            item.Operations[Method(endpoint.Verb)] = await operation.BuildAsync(IsOpen(route), cancellationToken);
        }
    }

    private static OpenApiPathItem Item(OpenApiPaths paths, string path)
    {
        if (paths.TryGetValue(path, out var present) && present is OpenApiPathItem item) return item;

        item = new OpenApiPathItem();
        paths[path] = item;
        return item;
    }

    private static HttpMethod Method(ResourceVerb verb) => verb switch
    {
        ResourceVerb.Create => HttpMethod.Post,
        ResourceVerb.Update => HttpMethod.Patch,
        ResourceVerb.Delete => HttpMethod.Delete,
        _ => HttpMethod.Get,
    };

    private static bool IsOpen(RouteEndpoint route) => route.Metadata.GetMetadata<IAllowAnonymous>() is not null;
}
