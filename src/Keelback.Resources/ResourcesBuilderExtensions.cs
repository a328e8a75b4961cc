using Keelback.Resources;
using Keelback.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>Resources on a <see cref="KeelbackBuilder"/>.</summary>
public static class ResourcesBuilderExtensions
{
    /// <summary>Adds what <c>MapResource</c> and <c>MapApiDocs</c> need, <c>AddWeb</c> and authorization included.</summary>
    /// <remarks>Safe to call twice. Resources read and write the <c>DbContext</c> that <c>AddData</c> registers.</remarks>
    public static KeelbackBuilder AddResources(this KeelbackBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddWeb();
        var services = builder.Services;
        if (services.Any(s => s.ServiceType == typeof(ResourceMap))) return builder;

        services.AddAuthorization();
        services.AddSingleton<ResourceMap>();
        services.AddSingleton<IProblemMapper, DatabaseProblems>();
        services.AddOpenApi("v1", o => o.AddDocumentTransformer<ResourceDocument>());
        builder.AddCheck<ResourceModelCheck>();
        services.AddSingleton<PolicyCheck>();
        services.AddSingleton<ICheck>(sp => sp.GetRequiredService<PolicyCheck>());
        services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<PolicyCheck>());

        return builder;
    }
}
