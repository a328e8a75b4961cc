using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Keelback.Data;

/// <summary><c>pk_album</c>, <c>ak_album_code</c>, <c>fk_track_album_album_id</c>, <c>ix_track_album_id</c>.</summary>
internal static class ConstraintNames
{
    public static void Set(IConventionEntityType type)
    {
        // A hierarchy in several tables has one key and several constraints: EF names each after its table.
        if (type.IsMappedToJson() || SnakeCaseConvention.HasTablePerType(type.GetRootType() as IConventionEntityType ?? type)) return;
        if (StoreObjectIdentifier.Create(type, StoreObjectType.Table) is not { } table) return;

        if (!SnakeCaseConvention.SharesOwnersTable(type))
            foreach (var key in type.GetDeclaredKeys())
                if (!SnakeCaseConvention.IsExplicit(key.GetNameConfigurationSource()))
                    key.SetName(key.IsPrimaryKey()
                        ? SnakeCase.Join("pk", table.Name)
                        : SnakeCase.Join(["ak", table.Name, .. Columns(key.Properties, table)]));

        foreach (var foreignKey in type.GetDeclaredForeignKeys())
            if (!SnakeCaseConvention.IsExplicit(foreignKey.GetConstraintNameConfigurationSource())
                && !(foreignKey.IsOwnership && SnakeCaseConvention.SharesOwnersTable(type))
                && foreignKey.PrincipalEntityType.GetTableName() is { } principal)
                foreignKey.SetConstraintName(
                    SnakeCase.Join(["fk", table.Name, principal, .. Columns(foreignKey.Properties, table)]));

        foreach (var index in type.GetDeclaredIndexes())
            if (index.Name is null && !SnakeCaseConvention.IsExplicit(index.GetDatabaseNameConfigurationSource()))
                index.SetDatabaseName(SnakeCase.Join(["ix", table.Name, .. Columns(index.Properties, table)]));
    }

    private static IEnumerable<string> Columns(IEnumerable<IConventionProperty> properties, StoreObjectIdentifier table) =>
        properties.Select(p => p.GetColumnName(table) ?? SnakeCase.Of(p.Name));
}
