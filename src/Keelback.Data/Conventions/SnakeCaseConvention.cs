using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Keelback.Data;

/// <summary>Names tables, columns, keys, foreign keys and indexes in snake_case; a name that the app gave stays.</summary>
internal sealed class SnakeCaseConvention : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        var types = modelBuilder.Metadata.GetEntityTypes()
            .Where(t => t.ClrType != typeof(HistoryRow)) // EF's own table: a database from before Keelback keeps its history
            .ToList();

        // Tables, then columns, then constraints: each is named after the one before.
        foreach (var type in types) NameTable(type);
        foreach (var type in types) NameColumns(type);
        foreach (var type in types) ConstraintNames.Set(type);
    }

    private static void NameTable(IConventionEntityType type)
    {
        if (type.IsMappedToJson() || SharesOwnersTable(type)) return;
        if (type.BaseType is not null && !HasTablePerType(type)) return;

        if (!IsExplicit(type.GetTableNameConfigurationSource()) && type.GetTableName() is { } table)
            type.SetTableName(SnakeCase.Of(table));
        if (!IsExplicit(type.GetViewNameConfigurationSource()) && type.GetViewName() is { } view)
            type.SetViewName(SnakeCase.Of(view));
    }

    private static void NameColumns(IConventionEntityType type)
    {
        if (type.IsMappedToJson())
        {
            // Only the root of the document has a column. ToJson() without a name gives the navigation's, as if the app had chosen it.
            if (type.FindOwnership() is { } ownership && !ownership.PrincipalEntityType.IsMappedToJson()
                && type.GetContainerColumnName() == ownership.PrincipalToDependent?.Name)
                type.SetContainerColumnName(SnakeCase.Of(type.GetContainerColumnName()!), fromDataAnnotation: true);
        }

        foreach (var property in type.GetDeclaredProperties()) NameColumn(type, property);
        foreach (var complex in type.GetDeclaredComplexProperties()) NameColumns(type, complex);

        foreach (var navigation in type.GetDeclaredNavigations())
            if (navigation.TargetEntityType.IsMappedToJson() && type.IsMappedToJson() && !navigation.IsOnDependent
                && !IsExplicit(navigation.TargetEntityType.GetJsonPropertyNameConfigurationSource()))
                navigation.TargetEntityType.SetJsonPropertyName(SnakeCase.Of(navigation.Name));
    }

    private static void NameColumns(IConventionEntityType owner, IConventionComplexProperty complex)
    {
        var type = complex.ComplexType;
        if (type.IsMappedToJson() && complex.DeclaringType is IConventionEntityType && type.GetContainerColumnName() == complex.Name)
            type.SetContainerColumnName(SnakeCase.Of(complex.Name));

        foreach (var property in type.GetDeclaredProperties()) NameColumn(owner, property);
        foreach (var inner in type.GetDeclaredComplexProperties()) NameColumns(owner, inner);
    }

    private static void NameColumn(IConventionEntityType owner, IConventionProperty property)
    {
        if (property.DeclaringType.IsMappedToJson())
        {
            if (!IsExplicit(property.GetJsonPropertyNameConfigurationSource()) && property.GetJsonPropertyName() is { } member)
                property.SetJsonPropertyName(SnakeCase.Of(member));
            return;
        }

        if (IsExplicit(property.GetColumnNameConfigurationSource())) return;

        // The key of an owned row that lives in its owner's table is the owner's key: EF shares the column by itself.
        if (SharesOwnersTable(owner) && property.IsPrimaryKey()) return;

        var table = StoreObjectIdentifier.Create(owner, StoreObjectType.Table) ?? StoreObjectIdentifier.Create(owner, StoreObjectType.View);
        var column = table is { } store ? property.GetDefaultColumnName(store) : property.GetDefaultColumnName();
        if (column is not null) property.SetColumnName(IsSystemVersion(property) ? "xmin" : SnakeCase.Of(column));
    }

    /// <summary>A row version of type uint is PostgreSQL's own column.</summary>
    private static bool IsSystemVersion(IConventionProperty property) =>
        property is { IsConcurrencyToken: true, ValueGenerated: ValueGenerated.OnAddOrUpdate } && property.ClrType == typeof(uint);

    internal static bool SharesOwnersTable(IConventionEntityType type) =>
        type.FindOwnership() is { IsUnique: true } && !IsExplicit(type.GetTableNameConfigurationSource());

    internal static bool HasTablePerType(IConventionEntityType type) =>
        type.GetMappingStrategy() is RelationalAnnotationNames.TptMappingStrategy or RelationalAnnotationNames.TpcMappingStrategy
        || type.GetDerivedTypes().Any(d => IsExplicit(d.GetTableNameConfigurationSource()))
        || (type.BaseType is not null && IsExplicit(type.GetTableNameConfigurationSource()));

    internal static bool IsExplicit(ConfigurationSource? source) =>
        source is ConfigurationSource.Explicit or ConfigurationSource.DataAnnotation;
}
