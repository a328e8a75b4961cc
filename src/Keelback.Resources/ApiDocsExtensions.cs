using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Keelback;

/// <summary>The description of an app's API.</summary>
public static class ApiDocsExtensions
{
    /// <summary>Serves the OpenAPI 3.1 document of every resource and endpoint, by default at <c>/openapi/v1.json</c>.</summary>
    /// <returns>The endpoint, to say who may read it.</returns>
    public static IEndpointConventionBuilder MapApiDocs(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/openapi/{documentName}.json") =>
        endpoints.MapOpenApi(pattern);
}
