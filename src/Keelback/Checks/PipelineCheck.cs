using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>An app that serves without <c>UseKeelback</c> would answer without security headers and problem documents.</summary>
internal sealed class PipelineCheck(PipelineState pipeline, RunMode mode, IServiceProvider services) : ICheck
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (!pipeline.InUse && mode.Host == CommandHost.Web && services.GetService<IServer>() is not null)
        {
            findings.Error(
                KeelbackErrors.MiddlewareMissing,
                "The app serves without Keelback's middleware: no security headers, no problem documents, no health.",
                "Call app.UseKeelback() after builder.Build().");
        }

        return default;
    }
}

/// <summary>Whether <c>UseKeelback</c> was called.</summary>
internal sealed class PipelineState
{
    public bool InUse { get; set; }
}
