using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources;

/// <summary>Finds what a resource says and its model does not know, before a caller does.</summary>
internal sealed class ResourceModelCheck(ResourceMap map, IServiceScopeFactory scopes) : ICheck
{
    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (!IsThere(scope.ServiceProvider)) return;

        var sources = map.Endpoints().Select(e => e.Resource.Source).Distinct();
        foreach (var mistake in sources.SelectMany(s => s.Mistakes(scope.ServiceProvider)).DistinctBy(m => m.Message))
            findings.Error(mistake.Code, mistake.Message[(mistake.Code.Length + 2)..]);
    }

    // A context without a connection has no model. Why there is none is told by those who look for one.
    private static bool IsThere(IServiceProvider scope)
    {
        try
        {
            scope.GetService<DbContext>();
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }
}
