using System.Diagnostics.CodeAnalysis;
using Keelback.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The description of an app's API.</summary>
public static class ApiDocsExtensions
{
    /// <summary>Serves the OpenAPI 3.1 document of every resource and endpoint, by default at <c>/openapi/v1.json</c>.</summary>
    /// <remarks>Without a policy or <c>.AllowAnonymous()</c> the app does not start (KB1401).</remarks>
    /// <returns>The endpoint, to say who may read it.</returns>
    public static IEndpointConventionBuilder MapApiDocs(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/openapi/{documentName}.json")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var map = endpoints.ServiceProvider.GetService<ResourceMap>() ?? throw ResourceErrors.NotAdded("The API description");

        map.Add(endpoints);
        return endpoints.MapOpenApi(pattern).WithMetadata(new PolicyNeeded("the API description"));
    }
}
