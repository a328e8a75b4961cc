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

    public IReadOnlyList<KeelbackException> Mistakes(IServiceProvider scope)
    {
        var mistakes = new List<KeelbackException>();
        if (scope.GetService<DbContext>() is { } db) ResourceModel.Of(definition, db, scope.GetRequiredService<StrictJson>(), mistakes);
        else mistakes.Add(ResourceErrors.NoContext(definition.Name));

        return mistakes;
    }

    public ResourcePlan<T, TDto> Plan(HttpContext http, DbContext db) => Plan(http.RequestServices, db);

    public Expression<Func<T, bool>>? Scope(HttpContext http) => definition.Scope?.Invoke(http);

    private DbContext Context(IServiceProvider scope) =>
        scope.GetService<DbContext>() ?? throw ResourceErrors.NoContext(definition.Name);

    /// <summary>Made by the first request: the projections are costly to try, and the start does not wait for them.</summary>
    private ResourcePlan<T, TDto> Plan(IServiceProvider scope, DbContext db)
    {
        if (_plan is { } plan) return plan;

        lock (_planning) return _plan ??= Made(db, scope.GetRequiredService<StrictJson>());
    }

    private ResourcePlan<T, TDto> Made(DbContext db, StrictJson json)
    {
        var mistakes = new List<KeelbackException>();
        return ResourceModel.Of(definition, db, json, mistakes) is { } model ? new(definition, model, db, json) : throw mistakes[0];
    }
}
