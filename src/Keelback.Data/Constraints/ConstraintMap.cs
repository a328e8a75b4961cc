using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Keelback.Data;

/// <summary>From a constraint's name to the properties that it is about.</summary>
internal sealed partial class ConstraintMap(DbContext db)
{
    public ConstraintViolation Find(ConstraintKind kind, PostgresException failure, IReadOnlyList<EntityEntry> entries)
    {
        var table = TableOf(db.Model, failure);

        return kind switch
        {
            ConstraintKind.Required => Of(kind, failure.ColumnName ?? "", table, Columns(table, [failure.ColumnName ?? ""])),
            ConstraintKind.TooLong => TooLong(entries),
            ConstraintKind.ForeignKey => ForeignKey(failure, table, entries),
            ConstraintKind.Check => Of(kind, failure.ConstraintName ?? "", table, Columns(table, ColumnsOfCheck(failure, table))),
            _ => Of(kind, failure.ConstraintName ?? "", table, Columns(table, ColumnsOfKey(failure, table))),
        };
    }

    private static ConstraintViolation ForeignKey(PostgresException failure, ITable? table, IReadOnlyList<EntityEntry> entries)
    {
        // The server names the referencing table both when a row there has no partner, and when a partner is to go.
        var key = table?.ForeignKeyConstraints.FirstOrDefault(k => k.Name == failure.ConstraintName);
        var properties = Columns(table, key?.Columns.Select(c => c.Name) ?? []);
        var onDelete = key is not null && entries.Count > 0
            && entries.All(e => key.PrincipalTable.EntityTypeMappings.Any(m => m.TypeBase == e.Metadata))
            && !entries.Any(e => table!.EntityTypeMappings.Any(m => m.TypeBase == e.Metadata));

        return Of(ConstraintKind.ForeignKey, failure.ConstraintName ?? "", table, properties, onDelete);
    }

    // The server names neither table nor column: the texts that are over their limit.
    private static ConstraintViolation TooLong(IReadOnlyList<EntityEntry> entries)
    {
        var tooLong = entries.SelectMany(entry => entry.Metadata.GetFlattenedProperties()
            .Where(p => p.GetMaxLength() is { } limit && entry.CurrentValues[p] is string text && text.EnumerateRunes().Count() > limit)).ToList();

        return new(ConstraintKind.TooLong, "", entries.Count == 1 ? entries[0].Metadata : null, tooLong, OnDelete: false);
    }

    private static IEnumerable<string> ColumnsOfKey(PostgresException failure, ITable? table) =>
        table?.UniqueConstraints.FirstOrDefault(k => k.Name == failure.ConstraintName)?.Columns.Select(c => c.Name)
        ?? table?.Indexes.FirstOrDefault(i => i.Name == failure.ConstraintName)?.Columns.Select(c => c.Name)
        ?? [];

    // The columns that the rule's text mentions, as whole words. Only the design-time model keeps the text.
    private IEnumerable<string> ColumnsOfCheck(PostgresException failure, ITable? table)
    {
        var check = TableOf(db.GetService<IDesignTimeModel>().Model, failure)?.CheckConstraints
            .FirstOrDefault(c => c.Name == failure.ConstraintName);
        if (check is null) return [];

        var words = Word().Matches(Literal().Replace(check.Sql, "")).Select(m => m.Value).ToHashSet(StringComparer.Ordinal);
        return table!.Columns.Select(c => c.Name).Where(words.Contains);
    }

    // The model has no schema where the search path decides.
    private static ITable? TableOf(IModel model, PostgresException failure) =>
        model.GetRelationalModel().FindTable(failure.TableName ?? "", failure.SchemaName)
        ?? model.GetRelationalModel().FindTable(failure.TableName ?? "", null);

    private static ConstraintViolation Of(
        ConstraintKind kind, string constraint, ITable? table, IReadOnlyList<IProperty> properties, bool onDelete = false) =>
        new(kind, constraint, table?.EntityTypeMappings.Select(m => m.TypeBase).OfType<IEntityType>().FirstOrDefault(), properties, onDelete);

    private static IReadOnlyList<IProperty> Columns(ITable? table, IEnumerable<string> names) =>
        [.. names.Select(name => table?.FindColumn(name)?.PropertyMappings.Select(m => m.Property).FirstOrDefault()).OfType<IProperty>()];

    [GeneratedRegex("'(?:[^']|'')*'")]
    private static partial Regex Literal();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
