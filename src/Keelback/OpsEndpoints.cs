using Keelback.Ops;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Maps the jobs pages where the settings say; closed, until the app names a policy.</summary>
internal static class OpsEndpoints
{
    public static void Map(WebApplication app)
    {
        var options = Options(app.Services);
        if (options.Path.Length > 0) app.MapJobsPages(options.Path);
        if (options.MetricsPath.Length > 0) app.MapJobsMetrics(options.MetricsPath);
    }

    // A mistake in the settings is told by the start, together with all others.
    private static OpsOptions Options(IServiceProvider services)
    {
        try
        {
            return services.GetRequiredService<IOptions<OpsOptions>>().Value;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return new();
        }
    }
}
