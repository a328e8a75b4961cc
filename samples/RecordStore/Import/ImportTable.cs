using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace RecordStore.Import;

/// <summary>What the import must know of a table; read from the model, so that the two cannot disagree.</summary>
internal sealed record ImportTable(
    string Name,
    IReadOnlyList<ImportColumn> Columns,
    IReadOnlyList<ImportColumn> Key,
    IReadOnlyList<IReadOnlyList<ImportColumn>> UniqueKeys,
    IReadOnlyList<ImportReference> References,
    IReadOnlyList<ImportRule> Rules,
    string? Sequence)
{
    /// <summary>The file that holds the table's rows.</summary>
    public string File => $"{Name}.csv";

    /// <summary>The columns of the file.</summary>
    public IReadOnlyList<string> Headers => [.. Columns.Select(column => column.Header)];

    public IEnumerable<ImportColumn> Others => Columns.Except(Key);

    /// <summary>The table of an entity, by the entity's name.</summary>
    public static ImportTable Of(DbContext db, string entityName)
    {
        // The model that runs queries has no check constraints; the one that makes migrations has.
        var entity = db.GetService<IDesignTimeModel>().Model.GetEntityTypes().Single(type => type.ClrType.Name == entityName);
        var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
        var columns = entity.GetProperties().ToDictionary(property => property, property => Column(property, table));

        var key = entity.FindPrimaryKey()!.Properties;
        var references =
            from reference in entity.GetForeignKeys()
            let target = StoreObjectIdentifier.Create(reference.PrincipalEntityType, StoreObjectType.Table)!.Value
            let targetKey = reference.PrincipalKey.Properties.Single().GetColumnName(target)!
            select new ImportReference(columns[reference.Properties.Single()], target.Name, targetKey, target == table);

        return new(
            table.Name,
            [.. columns.Values],
            [.. key.Select(property => columns[property])],
            [.. entity.GetIndexes().Where(index => index.IsUnique).Select(index => index.Properties.Select(p => columns[p]).ToList())],
            [.. references],
            [.. entity.GetCheckConstraints().Select(check => new ImportRule(check.Name!, check.Sql))],
            key is [{ ValueGenerated: ValueGenerated.OnAdd }] ? columns[key[0]].Name : null);
    }

    private static ImportColumn Column(IProperty property, StoreObjectIdentifier table)
    {
        var name = property.GetColumnName(table)!;
        return new(
            Header: name == "id" ? $"{table.Name}_id" : name,
            Name: $"\"{name}\"",
            Type: Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType,
            Required: !property.IsNullable,
            property.GetMaxLength(),
            property.GetPrecision() ?? 0,
            property.GetScale() ?? 0);
    }
}

/// <summary>A foreign key: the column's value must be a key of <paramref name="Target"/>.</summary>
internal sealed record ImportReference(ImportColumn Column, string Target, string TargetKey, bool ToItself);

/// <summary>A check constraint: <paramref name="Sql"/> must not be false.</summary>
internal sealed record ImportRule(string Name, string Sql);
