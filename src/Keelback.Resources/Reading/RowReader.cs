using System.Linq.Expressions;
using System.Text.Json;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources;

/// <summary>Reads a resource's rows as JSON, for one caller.</summary>
internal sealed class RowReader<T, TDto>(ResourcePlan<T, TDto> plan, DbContext db, Expression<Func<T, bool>>? scope)
    where T : class
    where TDto : class
{
    private IQueryable<T> Visible => scope is null ? db.Set<T>() : db.Set<T>().Where(scope);

    /// <summary>The row with this key, when the caller may see it.</summary>
    public IQueryable<T> Find(object key) => Visible.Where(QueryableRows.Equals<T>(plan.Key, key));

    /// <summary>Writes the JSON array of a page's rows, and returns how many rows all pages hold.</summary>
    public async Task<int> WritePageAsync(ListQuery query, PooledBuffer to, CancellationToken ct)
    {
        var rows = Visible.AsNoTracking().Where(query, plan.Definition.Query);
        var page = rows.OrderBy(query, plan.Key).Skip(query.Offset).Take(query.PageSize).Select(plan.Definition.Read);
        if (plan.Projection is { } projection
            && await new SqlRows(db, projection).TryWritePageAsync(rows.Select(row => 1), page, Writer(to), ct) is { } count)
            return count;

        plan.LeaveToEf();
        to.Clear();
        count = await rows.CountAsync(ct);
        using var json = Writer(to);
        json.WriteStartArray();
        foreach (var dto in await page.ToListAsync(ct)) JsonSerializer.Serialize(json, dto, plan.DtoInfo);
        json.WriteEndArray();
        return count;
    }

    /// <summary>One row's representation; null when there is no such row, or the caller may not see it.</summary>
    public async Task<Representation?> ReadAsync(object key, CancellationToken ct)
    {
        var version = plan.VersionQuery(db, key);
        var row = Find(key).AsNoTracking().Select(plan.Definition.Read);
        var to = new PooledBuffer(1024);
        if (plan.Projection is { } projection)
        {
            var (fits, isThere, xmin) = await new SqlRows(db, projection).TryWriteRowAsync(version, row, Writer(to), ct);
            if (fits) return isThere ? new(to, xmin) : Nothing(to);
            plan.LeaveToEf();
            to.Clear();
        }

        var read = await SqlRows.ReadVersionAsync(db, version, ct);
        if (await row.FirstOrDefaultAsync(ct) is not { } dto) return Nothing(to);
        using (var json = Writer(to)) JsonSerializer.Serialize(json, dto, plan.DtoInfo);
        return new(to, read);
    }

    private static Representation? Nothing(PooledBuffer unused)
    {
        unused.Dispose();
        return null;
    }

    private Utf8JsonWriter Writer(PooledBuffer to) =>
        new(to, new JsonWriterOptions { Encoder = plan.DtoInfo.Options.Encoder, SkipValidation = true });
}
