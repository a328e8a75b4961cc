using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Resources;

/// <summary>Create, partial update and delete: through EF, in one transaction each, under the row's lock.</summary>
internal sealed class WriteEndpoints<T, TDto>(ResourceHandler<T, TDto> handler, Func<IServiceProvider, Resource<T, TDto>> resource)
    where T : class
    where TDto : class
{
    public Task CreateAsync(HttpContext http) => AnswerAsync(http, async (db, plan) =>
    {
        var ct = http.RequestAborted;
        var body = await Bodies(http).ReadAsync(http, plan.Create!.Contract);
        if (body.Problem is not null) return Outcome.Refused(body.Problem);

        var entity = (T)Activator.CreateInstance(typeof(T), nonPublic: true)!;
        plan.Create.Apply(body.Value!, entity, sent: null);
        db.Add(entity);
        if (await SavingAsync(http, db, SavingKind.Create, entity) is { } refused) return Outcome.Refused(refused);
        await db.SaveChangesAsync(ct);

        var key = plan.Entity.Key!.Property.PropertyInfo!.GetValue(entity)!;
        return await ReadBackAsync(http, db, plan, key) is { } row
            ? new(StatusCodes.Status201Created, row, $"{http.Request.PathBase}{http.Request.Path.Value!.TrimEnd('/')}/{Segment(key)}")
            : Outcome.Refused(OutOfScope());
    });

    public Task UpdateAsync(HttpContext http) => AnswerAsync(http, async (db, plan) =>
    {
        var ct = http.RequestAborted;
        var body = await Bodies(http).ReadPatchAsync(http, plan.Update!.Contract);
        var (entity, key, problem) = await LockAsync(http, db, plan);
        if ((problem ?? body.Problem) is { } refused) return Outcome.Refused(refused);

        var input = body.Value!;
        if (plan.Update.ChangedKey(input, entity!, body.Sent, plan.Entity.Key!) is { } pointer)
            return Outcome.Refused(Problem.Input(FieldError.InBody(pointer, "readOnly", "The key of a row cannot change.")));
        if (Together(plan.Update, input, entity!, body.Sent) is { } broken) return Outcome.Refused(broken);

        plan.Update.Apply(input, entity!, body.Sent);
        if (await SavingAsync(http, db, SavingKind.Update, entity!) is { } vetoed) return Outcome.Refused(vetoed);
        await db.SaveChangesAsync(ct);

        return await ReadBackAsync(http, db, plan, key!) is { } row
            ? new(StatusCodes.Status200OK, row, null)
            : Outcome.Refused(OutOfScope());
    });

    public Task DeleteAsync(HttpContext http) => AnswerAsync(http, async (db, plan) =>
    {
        var (entity, _, problem) = await LockAsync(http, db, plan);
        if (problem is not null) return Outcome.Refused(problem);

        if (await SavingAsync(http, db, SavingKind.Delete, entity!) is { } vetoed) return Outcome.Refused(vetoed);
        db.Remove(entity!);
        await db.SaveChangesAsync(http.RequestAborted);
        return new(StatusCodes.Status204NoContent, null, null);
    });

    private async Task AnswerAsync(HttpContext http, Func<DbContext, ResourcePlan<T, TDto>, Task<Outcome>> write)
    {
        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        if (ResourceHandler<T, TDto>.Refuse(http.Request, takesQuery: false) is { } refused)
        {
            await refused.ExecuteAsync(http);
            return;
        }

        Outcome outcome;
        await using (var transaction = await db.Database.BeginTransactionAsync(http.RequestAborted))
        {
            outcome = await write(db, plan);
            if (outcome.Problem is null) await transaction.CommitAsync(http.RequestAborted);
        }

        await AnswerAsync(http, outcome);
    }

    private static async Task AnswerAsync(HttpContext http, Outcome outcome)
    {
        using var row = outcome.Row;
        if (outcome.Location is not null) http.Response.Headers.Location = outcome.Location;
        if (outcome.Problem is not null) await outcome.Problem.ExecuteAsync(http);
        else if (row is not null) await ReadEndpoints<T, TDto>.AnswerAsync(http, outcome.Status, row);
        else http.Response.StatusCode = outcome.Status;
    }

    // The lock comes before the row is read and compared: what was compared is what is changed.
    private async Task<(T? Entity, object? Key, Problem? Problem)> LockAsync(HttpContext http, DbContext db, ResourcePlan<T, TDto> plan)
    {
        var ct = http.RequestAborted;
        var (condition, broken) = IfMatch.Read(http.Request, handler.Definition.RequireIfMatch);
        var (key, problem) = ResourceHandler<T, TDto>.Key(http, plan);
        if ((problem ?? broken) is { } refused) return (null, null, refused);

        var rows = new RowReader<T, TDto>(plan, db, handler.Scope(http));
        await SqlRows.ReadVersionAsync(db, plan.VersionQuery(db, key!, forUpdate: true), ct);
        if (await rows.Find(key!).SingleOrDefaultAsync(ct) is not { } entity)
            return (null, null, ResourceHandler<T, TDto>.NotFound(key!));

        if (condition!.IsSent)
        {
            using var seen = await rows.ReadAsync(key!, ct);
            if (seen is null || !condition.Matches(seen.ETag)) return (null, null, IfMatch.Failed());
        }

        return (entity, key, null);
    }

    private Task<Representation?> ReadBackAsync(HttpContext http, DbContext db, ResourcePlan<T, TDto> plan, object key) =>
        new RowReader<T, TDto>(plan, db, handler.Scope(http)).ReadAsync(key, http.RequestAborted);

    private async Task<Problem?> SavingAsync(HttpContext http, DbContext db, SavingKind kind, T entity)
    {
        var saving = new Saving<T>(kind, entity, db, http);
        await resource(http.RequestServices).CallSavingAsync(saving, http.RequestAborted);
        return saving.Problem;
    }

    // Each member's own rules were checked as it was read; a rule over several needs the members that were not sent.
    private static Problem? Together(InputMap map, object input, T entity, bool[] sent)
    {
        if (input is not IValidatableObject validatable) return null;

        map.Complete(input, entity, sent);
        var errors = new ErrorList();
        ObjectRules.CheckTogether(map.Contract, validatable, "", errors);
        return errors.Count == 0 ? null : Problem.Input(errors.Errors);
    }

    private static Problem OutOfScope() => new(StatusCodes.Status403Forbidden, "The row would be out of your sight.");

    private static BodyReader Bodies(HttpContext http) => http.RequestServices.GetRequiredService<BodyReader>();

    private static string Segment(object key) => Uri.EscapeDataString(Convert.ToString(key, CultureInfo.InvariantCulture)!);

    private sealed record Outcome(int Status, Representation? Row, string? Location, Problem? Problem = null)
    {
        public static Outcome Refused(Problem problem) => new(problem.Status, null, null, problem);
    }
}
