using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Keelback.Data.Design;

/// <summary>A change of the schema, for a person.</summary>
internal static class ChangeText
{
    public static string Of(MigrationOperation change) => change switch
    {
        CreateTableOperation o => $"create table {o.Name}",
        DropTableOperation o => $"drop table {o.Name}",
        RenameTableOperation o => $"rename table {o.Name} to {o.NewName}",
        AddColumnOperation o => $"add column {o.Table}.{o.Name}",
        DropColumnOperation o => $"drop column {o.Table}.{o.Name}",
        RenameColumnOperation o => $"rename column {o.Table}.{o.Name} to {o.NewName}",
        AlterColumnOperation o => $"alter column {o.Table}.{o.Name}",
        CreateIndexOperation o => $"create index {o.Name}",
        DropIndexOperation o => $"drop index {o.Name}",
        RenameIndexOperation o => $"rename index {o.Name} to {o.NewName}",
        AddPrimaryKeyOperation o => $"add key {o.Name}",
        DropPrimaryKeyOperation o => $"drop key {o.Name}",
        AddUniqueConstraintOperation o => $"add unique constraint {o.Name}",
        DropUniqueConstraintOperation o => $"drop unique constraint {o.Name}",
        AddForeignKeyOperation o => $"add foreign key {o.Name}",
        DropForeignKeyOperation o => $"drop foreign key {o.Name}",
        AddCheckConstraintOperation o => $"add check {o.Name}",
        DropCheckConstraintOperation o => $"drop check {o.Name}",
        InsertDataOperation o => $"insert rows into {o.Table}",
        UpdateDataOperation o => $"update rows of {o.Table}",
        DeleteDataOperation o => $"delete rows of {o.Table}",
        _ => change.GetType().Name.Replace("Operation", "", StringComparison.Ordinal),
    };

    /// <summary>What to look at before it runs; null: nothing.</summary>
    public static string? WarningFor(MigrationOperation change) => change switch
    {
        RenameColumnOperation or RenameTableOperation =>
            $"'{Of(change)}' is a guess: where it is another thing under a new name, edit the migration to drop the one and add the other.",
        { IsDestructiveChange: true } => $"'{Of(change)}' can lose data.",
        _ => null,
    };
}
