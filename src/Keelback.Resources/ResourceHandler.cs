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

    /// <summary>The key in the path; null, with 404, when no row could have it.</summary>
    public static (object? Key, Problem? Problem) Key(HttpContext http, ResourcePlan<T, TDto> plan)
    {
        var text = http.Request.RouteValues["id"]?.ToString() ?? "";
        return QueryValue.TryRead(plan.KeyType, text, out var key)
            ? (key, null)
            : (null, new Problem(StatusCodes.Status404NotFound, Errors:
                [FieldError.InParameter("id", "type", $"Expected {TypeNames.Of(plan.KeyType)}, got '{Shown.Text(text)}'.")]));
    }

    public static Problem NotFound(object key) => new(StatusCodes.Status404NotFound, Errors:
        [FieldError.InParameter("id", "notFound", $"There is no row '{Shown.Text(key.ToString()!)}'.")]);

    /// <summary>Refuses what no verb takes: an unknown query key, or an Accept without JSON.</summary>
    public static Problem? Refuse(HttpRequest request, bool takesQuery)
    {
        if (!takesQuery && request.Query.Count > 0)
            return Problem.Input([.. request.Query.Keys.Select(key =>
                FieldError.InParameter(Shown.Text(key), "unknown", "This address takes no query."))]);

        return AcceptsJson(request)
            ? null
            : new Problem(StatusCodes.Status406NotAcceptable, Errors:
                [FieldError.InParameter("Accept", "accept", "Only application/json can be answered.")]);
    }

    private DbContext Context(IServiceProvider scope) =>
        scope.GetService<DbContext>() ?? throw ResourceErrors.NoContext(definition.Name);

    /// <summary>Made by the first request: the model is costly, and the start does not wait for it.</summary>
    private ResourcePlan<T, TDto> Plan(IServiceProvider scope, DbContext db)
    {
        if (_plan is { } plan) return plan;

        lock (_planning) return _plan ??= new(definition, db, scope.GetRequiredService<StrictJson>());
    }

    private static bool AcceptsJson(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0) return true;

        return request.GetTypedHeaders().Accept is not { Count: > 0 } accepted
            || accepted.Any(type => type.Quality is not 0
                && (type.MatchesAllTypes || type.MatchesMediaType("application/json") || type.MatchesMediaType("application/*")));
    }
}
