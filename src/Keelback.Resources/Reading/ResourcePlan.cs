using System.Data.Common;
using System.Linq.Expressions;
using System.Text.Json.Serialization.Metadata;
using Keelback.Data;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Resources;

/// <summary>A resource's definition after it has met the model: everything that is worked out once.</summary>
internal sealed class ResourcePlan<T, TDto>
    where T : class
    where TDto : class
{
    public ResourcePlan(ResourceDefinition<T, TDto> definition, ResourceModel model, DbContext db, StrictJson json)
    {
        Definition = definition;
        (Entity, Create, Update) = model;
        var row = Expression.Parameter(typeof(T), "row");
        Key = Expression.Lambda(Expression.Property(row, Entity.Key!.Property.PropertyInfo!), row);
        DtoInfo = json.Answers.GetTypeInfo(typeof(TDto));
        Projection = JsonProjection.Of(definition.Read, DtoInfo, Entity.Type) is { } projection && IsSql(db, definition.Read, projection)
            ? projection
            : null;
        LocalTimes = [.. definition.Filters.Where(f => f.ValueType == typeof(DateTime) && !IsInstant(f))];
    }

    public ResourceDefinition<T, TDto> Definition { get; }

    public ModelEntity Entity { get; }

    public Type KeyType => Key.ReturnType;

    /// <summary><c>row => row.Id</c>.</summary>
    public LambdaExpression Key { get; }

    public JsonTypeInfo DtoInfo { get; }

    /// <summary>Null where EF has to make the objects.</summary>
    public JsonProjection? Projection { get; private set; }

    public InputMap? Create { get; }

    public InputMap? Update { get; }

    // Filters on columns that hold times without a zone, which take no UTC.
    private HashSet<FilterRule> LocalTimes { get; }

    /// <summary>The query with its times as their columns take them.</summary>
    public ListQuery Fit(ListQuery query) => LocalTimes.Count == 0 ? query : query with
    {
        Filters = [.. query.Filters.Select(f => LocalTimes.Contains(f.Rule) ? f with { Value = Local(f.Value) } : f)],
    };

    /// <summary>The statement's columns turned out not to be the projected values one by one.</summary>
    public void LeaveToEf() => Projection = null;

    /// <summary>Asks for the version of the row with this key, and with <paramref name="forUpdate"/> locks it; null where rows have none, as a view's.</summary>
    public DbCommand? VersionQuery(DbContext db, object key, bool forUpdate = false)
    {
        if (Entity.Table is null || Entity.KeyColumn is null) return null;

        var command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        command.CommandText = $"select xmin from {Entity.Table} where {Entity.KeyColumn} = @keelback_key{(forUpdate ? " for update" : "")}";
        command.Parameters.Add(Entity.Key!.Mapping.CreateParameter(command, "keelback_key", key));
        return command;
    }

    private static object Local(object value) => value switch
    {
        DateTime time => Times.Fit(time, isInstant: false),
        DateTime[] times => Array.ConvertAll(times, t => Times.Fit(t, isInstant: false)),
        _ => value,
    };

    private bool IsInstant(FilterRule filter) =>
        MemberPath.Property(filter.Member, Entity.Type) is { } property && new ModelField(property).IsInstant;

    // EF may work out a part of a projection itself, after reading; never a part of an ordering. So what it can order by
    // is an expression of the statement. (Values that it folds into one column, or into none, show when the statement runs.)
    private static bool IsSql(DbContext db, Expression<Func<T, TDto>> read, JsonProjection projection)
    {
        try
        {
            var rows = db.Set<T>().AsNoTracking();
            foreach (var value in projection.Values)
                rows = rows.OrderBy(Expression.Lambda<Func<T, object>>(Expression.Convert(value, typeof(object)), read.Parameters));
            _ = rows.ToQueryString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
