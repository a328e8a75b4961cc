using System.Linq.Expressions;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources;

/// <summary>What every verb of a resource begins with: the plan, the context, who may see what, and which row is meant.</summary>
internal sealed class ResourceHandler<T, TDto>(ResourceDefinition<T, TDto> definition) : IResourceSource
    where T : class
    where TDto : class
{
    private readonly Lock _planning = new();
    private volatile ResourcePlan<T, TDto>? _plan;

    public ResourceDefinition<T, TDto> Definition => definition;

    public DbContext Context(HttpContext http) => Context(http.RequestServices);

    public ResourceInputs Inputs(IServiceProvider scope)
    {
        var plan = Plan(scope, Context(scope));
        return new(plan.KeyType, plan.Create?.Contract, plan.Update?.Contract);
    }

    public ResourcePlan<T, TDto> Plan(HttpContext http, DbContext db) => Plan(http.RequestServices, db);

    public Expression<Func<T, bool>>? Scope(HttpContext http) => definition.Scope?.Invoke(http);

    private DbContext Context(IServiceProvider scope) =>
        scope.GetService<DbContext>() ?? throw ResourceErrors.NoContext(definition.Name);

    /// <summary>Made by the first request: the model is costly, and the start does not wait for it.</summary>
    private ResourcePlan<T, TDto> Plan(IServiceProvider scope, DbContext db)
    {
        if (_plan is { } plan) return plan;

        lock (_planning) return _plan ??= new(definition, db, scope.GetRequiredService<StrictJson>());
    }
}
