using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>What a model says about its tables, in the words that resources, forms and documents use.</summary>
internal sealed class ModelCatalog(DbContext db)
{
    private readonly ISqlGenerationHelper _sql = db.GetService<ISqlGenerationHelper>();

    /// <summary>The entity of a CLR type; null when the model has none, or several.</summary>
    public ModelEntity? Find(Type type) => db.Model.FindEntityType(type) is { } entity ? new(entity, _sql) : null;
}

/// <summary>One table and its columns, as seen from the CLR type.</summary>
internal sealed class ModelEntity
{
    public ModelEntity(IEntityType type, ISqlGenerationHelper sql)
    {
        Type = type;
        Fields = type.GetProperties()
            .Where(p => !p.IsShadowProperty())
            .ToDictionary(p => p.Name, p => new ModelField(p), StringComparer.Ordinal);

        if (type.FindPrimaryKey() is { Properties: [var key] }) Key = new ModelField(key);
        if (type.GetTableName() is { } table && Key is not null)
        {
            var store = StoreObjectIdentifier.Table(table, type.GetSchema());
            Table = sql.DelimitIdentifier(table, type.GetSchema());
            KeyColumn = Key.Property.GetColumnName(store) is { } column ? sql.DelimitIdentifier(column) : null;
        }
    }

    public IEntityType Type { get; }

    /// <summary>Mapped properties by CLR name; shadow properties are not input or output.</summary>
    public IReadOnlyDictionary<string, ModelField> Fields { get; }

    /// <summary>The primary key when it is one property; else null.</summary>
    public ModelField? Key { get; }

    /// <summary>Schema and table, quoted; null for what is no table, such as a view.</summary>
    public string? Table { get; }

    /// <summary>The key's column, quoted.</summary>
    public string? KeyColumn { get; }
}

/// <summary>One column, as seen from the CLR property.</summary>
internal sealed record ModelField(IProperty Property)
{
    public string Name => Property.Name;

    public Type ClrType => Property.ClrType;

    public RelationalTypeMapping Mapping => (RelationalTypeMapping)Property.GetTypeMapping();

    public bool IsNullable => Property.IsNullable;

    /// <summary>Longest text in characters as PostgreSQL counts them; null without a limit.</summary>
    public int? MaxLength => ClrType == typeof(string) ? Property.GetMaxLength() : null;

    /// <summary>Digits before and after the point together, and after it, of <c>numeric(p, s)</c>; null without a limit.</summary>
    public (int Precision, int Scale)? Digits =>
        IsNumeric && Mapping.Precision is { } precision ? (precision, Mapping.Scale ?? 0) : null;

    /// <summary>Whether the column is <c>timestamp with time zone</c>, which takes UTC only.</summary>
    public bool IsInstant => Mapping.StoreType is "timestamptz"
        || Mapping.StoreType.StartsWith("timestamp", StringComparison.Ordinal)
        && Mapping.StoreType.EndsWith("with time zone", StringComparison.Ordinal);

    private bool IsNumeric => (Nullable.GetUnderlyingType(ClrType) ?? ClrType) == typeof(decimal);
}
