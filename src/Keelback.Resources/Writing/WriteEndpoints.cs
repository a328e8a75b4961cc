using System.Globalization;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources;

/// <summary>Create, partial update and delete: through EF, each in one transaction, changes under the row's lock.</summary>
internal sealed class WriteEndpoints<T, TDto>(ResourceHandler<T, TDto> handler, SavingHook<T> hook)
    where T : class
    where TDto : class
{
    public async Task CreateAsync(HttpContext http)
    {
        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        var body = await ReadAsync(http, plan.Create!, isPatch: false);
        if (body.Problem is not null)
        {
            await body.Problem.ExecuteAsync(http);
            return;
        }

        // SaveChanges is a transaction by itself; a hook may write beside it, and a scope may have to undo it.
        var write = new RowWriter<T, TDto>(plan, db, http, handler.Scope(http), hook);
        await AnswerAsync(http, async () =>
        {
            var (key, row) = handler.Definition.Scope is null && hook.IsEmpty
                ? await write.CreateAsync(body)
                : await db.InTransactionAsync(_ => write.CreateAsync(body), ct: http.RequestAborted);

            http.Response.Headers.Location = Location(http.Request, key);
            return (StatusCodes.Status201Created, row);
        });
    }

    public async Task UpdateAsync(HttpContext http)
    {
        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        var (target, problem) = RowTarget.Read(http, plan.KeyType, handler.Definition.RequireIfMatch);
        var body = problem is null ? await ReadAsync(http, plan.Update!, isPatch: true) : Body.Refused(problem);
        if (body.Problem is not null)
        {
            await body.Problem.ExecuteAsync(http);
            return;
        }

        var write = new RowWriter<T, TDto>(plan, db, http, handler.Scope(http), hook);
        await AnswerAsync(http, async () =>
            (StatusCodes.Status200OK, await db.InTransactionAsync(_ => write.UpdateAsync(target!, body), ct: http.RequestAborted)));
    }

    public async Task DeleteAsync(HttpContext http)
    {
        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        var (target, problem) = RowTarget.Read(http, plan.KeyType, handler.Definition.RequireIfMatch);
        if ((ResourceRequest.Refuse(http.Request, takesQuery: false) ?? problem) is { } refused)
        {
            await refused.ExecuteAsync(http);
            return;
        }

        var write = new RowWriter<T, TDto>(plan, db, http, handler.Scope(http), hook);
        await AnswerAsync(http, async () =>
        {
            await db.InTransactionAsync(_ => write.DeleteAsync(target!), ct: http.RequestAborted);
            return (StatusCodes.Status204NoContent, null);
        });
    }

    private static async Task<Body> ReadAsync(HttpContext http, InputMap input, bool isPatch)
    {
        if (ResourceRequest.Refuse(http.Request, takesQuery: false) is { } refused) return Body.Refused(refused);

        var reader = http.RequestServices.GetRequiredService<BodyReader>();
        return isPatch ? await reader.ReadPatchAsync(http, input.Contract) : await reader.ReadAsync(http, input.Contract);
    }

    // A refusal inside a transaction is thrown, because that is what rolls it back.
    private static async Task AnswerAsync(HttpContext http, Func<Task<(int Status, Representation? Row)>> write)
    {
        try
        {
            var (status, row) = await write();
            using (row)
            {
                if (row is null) http.Response.StatusCode = status;
                else await ReadEndpoints<T, TDto>.AnswerAsync(http, status, row);
            }
        }
        catch (ProblemException e)
        {
            await e.Problem.ExecuteAsync(http);
        }
    }

    // Escaped again: the path is kept unescaped, and a header cannot hold all that a path can.
    private static string Location(HttpRequest request, object key) =>
        $"{request.PathBase.Add(request.Path.Value!.TrimEnd('/')).ToUriComponent()}/{Segment(key)}";

    private static string Segment(object key) => Uri.EscapeDataString(Convert.ToString(key, CultureInfo.InvariantCulture)!);
}
