using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources;

/// <summary>Writes one row for one caller, in the transaction that is open. A refusal is thrown.</summary>
internal sealed class RowWriter<T, TDto>(
    ResourcePlan<T, TDto> plan, DbContext db, HttpContext http, Expression<Func<T, bool>>? scope, SavingHook<T> hook)
    where T : class
    where TDto : class
{
    private readonly RowReader<T, TDto> _rows = new(plan, db, scope);

    private CancellationToken Aborted => http.RequestAborted;

    public async Task<(object Key, Representation? Row)> CreateAsync(Body body)
    {
        var entity = (T)Activator.CreateInstance(typeof(T), nonPublic: true)!;
        plan.Create!.Apply(body.Value!, entity, sent: null);
        db.Add(entity);
        await SaveAsync(SavingKind.Create, entity);

        var key = plan.Entity.Key!.Property.PropertyInfo!.GetValue(entity)!;
        return (key, await ReadBackAsync(key));
    }

    public async Task<Representation?> UpdateAsync(RowTarget target, Body body)
    {
        var entity = await LockAsync(target);
        var (input, map) = (body.Value!, plan.Update!);
        if (map.ChangedKey(input, entity, body.Sent, plan.Entity.Key!) is { } pointer)
            throw Refuse(Problem.Input(FieldError.InBody(pointer, "readOnly", "The key of a row cannot change.")));

        CheckTogether(map, input, entity, body.Sent);
        map.Apply(input, entity, body.Sent);
        await SaveAsync(SavingKind.Update, entity);
        return await ReadBackAsync(target.Key);
    }

    public async Task DeleteAsync(RowTarget target)
    {
        var entity = await LockAsync(target);
        db.Remove(entity);
        await SaveAsync(SavingKind.Delete, entity);
    }

    // The lock comes before the row is read and compared: what was compared is what is changed.
    private async Task<T> LockAsync(RowTarget target)
    {
        await SqlRows.ReadVersionAsync(db, plan.VersionQuery(db, target.Key, forUpdate: true), Aborted);
        if (await _rows.Find(target.Key).SingleOrDefaultAsync(Aborted) is not { } entity)
            throw Refuse(ResourceRequest.NotFound(target.Key));
        if (!target.Condition.IsSent) return entity;

        using var seen = await _rows.ReadAsync(target.Key, Aborted);
        return seen is not null && target.Condition.Matches(seen.ETag) ? entity : throw Refuse(IfMatch.Failed());
    }

    private async Task SaveAsync(SavingKind kind, T entity)
    {
        if (!hook.IsEmpty)
        {
            var saving = new Saving<T>(kind, entity, db, http);
            await hook.CallAsync(saving, http.RequestServices, Aborted);
            if (saving.Problem is { } refused) throw Refuse(refused);
        }

        await db.SaveChangesAsync(Aborted);
    }

    private async Task<Representation?> ReadBackAsync(object key)
    {
        var row = await _rows.ReadAsync(key, Aborted);
        return row is null && scope is not null
            ? throw Refuse(new(StatusCodes.Status403Forbidden, "The row would be out of your sight."))
            : row;
    }

    // Each member's own rules were checked as it was read; a rule over several needs the members that were not sent.
    private static void CheckTogether(InputMap map, object input, T entity, bool[] sent)
    {
        if (input is not IValidatableObject validatable) return;

        map.Complete(input, entity, sent);
        var errors = new ErrorList();
        ObjectRules.CheckTogether(map.Contract, validatable, "", errors);
        if (errors.Count > 0) throw Refuse(Problem.Input(errors.Errors));
    }

    private static ProblemException Refuse(Problem problem) => new(problem);
}
