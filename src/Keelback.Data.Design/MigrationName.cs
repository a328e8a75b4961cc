using Microsoft.CodeAnalysis.CSharp;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Keelback.Data.Design;

/// <summary>The name of a migration: given and checked, or made from what it does.</summary>
internal static class MigrationName
{
    /// <summary><c>Initial</c>, <c>AddComposerToTracks</c>, <c>CreateAlbumsAndCreateTracks</c>, <c>CreateAlbumsAndMore</c>.</summary>
    public static string Of(IReadOnlyList<MigrationOperation> changes, bool isFirst, IEnumerable<string> taken)
    {
        var parts = changes.Select(Part).OfType<string>().Distinct().ToList();
        var name = isFirst ? "Initial" : parts switch
        {
            [] => "Update",
            [var only] => only,
            [var first, var second] => $"{first}And{second}",
            [var first, ..] => $"{first}AndMore",
        };

        var names = taken.Select(NameOf).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? name : $"{name}{n}").First(candidate => !names.Contains(candidate));
    }

    /// <exception cref="KeelbackException">KB1115: not an identifier, or taken.</exception>
    public static string Checked(string name, IEnumerable<string> taken)
    {
        if (!SyntaxFacts.IsValidIdentifier(name) || SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None)
            throw DataErrors.BadMigrationName(name, "it becomes a class, and is not a C# name");
        if (taken.FirstOrDefault(id => string.Equals(NameOf(id), name, StringComparison.OrdinalIgnoreCase)) is { } id)
            throw DataErrors.BadMigrationName(name, $"{id} has that name");

        return name;
    }

    // Keys, foreign keys and indexes mostly come along with a table or a column, which says more.
    private static string? Part(MigrationOperation change) => change switch
    {
        CreateTableOperation o => $"Create{Pascal(o.Name)}",
        DropTableOperation o => $"Drop{Pascal(o.Name)}",
        RenameTableOperation o => $"Rename{Pascal(o.Name)}To{Pascal(o.NewName ?? o.Name)}",
        AddColumnOperation o => $"Add{Pascal(o.Name)}To{Pascal(o.Table)}",
        DropColumnOperation o => $"Drop{Pascal(o.Name)}From{Pascal(o.Table)}",
        RenameColumnOperation o => $"Rename{Pascal(o.Name)}To{Pascal(o.NewName)}",
        AlterColumnOperation o => $"Alter{Pascal(o.Name)}Of{Pascal(o.Table)}",
        CreateIndexOperation o => $"Index{Pascal(o.Table)}By{string.Concat(o.Columns.Select(Pascal))}",
        AddCheckConstraintOperation o => $"Check{Pascal(o.Table)}",
        _ => null,
    };

    private static string Pascal(string name) => string.Concat(
        name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    private static string NameOf(string id) => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];
}
