using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Testing;

/// <summary>Makes valid rows from what the model knows: what is required, how long it may be, what it refers to, what is unique.</summary>
internal sealed class Maker(IServiceProvider services)
{
    public async Task<T> MakeAsync<T>(Action<T>? with)
        where T : class
    {
        var db = services.GetService<DbContext>();
        var type = db?.Model.FindEntityType(typeof(T)) ?? throw TestingErrors.NoEntity(typeof(T));

        return (T)await MakeAsync(db, type, [], entity => with?.Invoke((T)entity));
    }

    private static async Task<object> MakeAsync(DbContext db, IEntityType type, IReadOnlyList<Type> path, Action<object>? with)
    {
        if (path.Contains(type.ClrType)) throw TestingErrors.Circle([.. path, type.ClrType]);

        var concrete = type.IsAbstract() ? type.GetConcreteDerivedTypesInclusive().First() : type;
        var entity = Instance(concrete.ClrType);
        var missing = new List<Missing>();
        Fill(entity, concrete, missing, () => entity);
        with?.Invoke(entity);
        if (missing.Find(m => m.IsStill()) is { } left) throw TestingErrors.NoValue(type.ClrType, left.Property.Name, left.Property.ClrType);

        // Before the row itself is tracked: what it refers to is saved on its own.
        var principals = new List<(IForeignKey Key, object Principal)>();
        foreach (var key in concrete.GetForeignKeys().Where(k => k.IsRequired && !k.IsOwnership && !k.IsBaseLinking() && !IsGiven(k, entity)))
            principals.Add((key, await MakeAsync(db, key.PrincipalEntityType, [.. path, type.ClrType], with: null)));

        // What the test set may be rows that exist: they are referred to, not inserted again.
        db.ChangeTracker.TrackGraph(entity, node => node.Entry.State =
            node.Entry.Entity != entity && node.Entry.IsKeySet && !node.Entry.Metadata.IsOwned() ? EntityState.Unchanged : EntityState.Added);

        var entry = db.Entry(entity);
        foreach (var (key, principal) in principals)
            foreach (var (foreign, own) in key.Properties.Zip(key.PrincipalKey.Properties))
                entry.Property(foreign.Name).CurrentValue = db.Entry(principal).Property(own.Name).CurrentValue;

        await db.SaveChangesAsync();
        return entity;
    }

    private static bool IsGiven(IForeignKey key, object entity) =>
        key.DependentToPrincipal?.PropertyInfo?.GetValue(entity) is not null
        || key.Properties.All(p => p.PropertyInfo is { } member && !IsUnset(member.GetValue(entity), p.ClrType));

    /// <param name="target">Gets values.</param>
    /// <param name="type">Of the target.</param>
    /// <param name="missing">Gets what there is no value for.</param>
    /// <param name="place">What is in the target's place later: the test may put another one there.</param>
    private static void Fill(object target, ITypeBase type, List<Missing> missing, Func<object?> place)
    {
        foreach (var property in type.GetProperties())
        {
            if (property.IsNullable || property.IsShadowProperty() || property.IsForeignKey()) continue;
            if (property.ValueGenerated != ValueGenerated.Never || property.PropertyInfo is not { CanWrite: true } member) continue;
            if (!IsUnset(member.GetValue(target), property.ClrType) && !IsUnique(property)) continue;

            if (MadeValue.Of(property) is { } value) member.SetValue(target, value);
            else missing.Add(new(place, property));
        }

        foreach (var complex in type.GetComplexProperties().Where(c => !c.IsNullable && !c.IsCollection && c.PropertyInfo is not null))
        {
            var value = complex.PropertyInfo!.GetValue(target) ?? Instance(complex.ComplexType.ClrType);
            Fill(value, complex.ComplexType, missing, () => place() is { } holder ? complex.PropertyInfo.GetValue(holder) : null);
            complex.PropertyInfo.SetValue(target, value);
        }

        if (type is not IEntityType entity) return;

        foreach (var owned in entity.GetNavigations().Where(n => n.ForeignKey is { IsOwnership: true, IsRequiredDependent: true } && !n.IsOnDependent))
        {
            if (owned.IsCollection || owned.PropertyInfo is null) continue;

            var value = owned.PropertyInfo.GetValue(target) ?? Instance(owned.TargetEntityType.ClrType);
            Fill(value, owned.TargetEntityType, missing, () => place() is { } holder ? owned.PropertyInfo.GetValue(holder) : null);
            owned.PropertyInfo.SetValue(target, value);
        }
    }

    private static object Instance(Type type)
    {
        const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return type.IsValueType || type.GetConstructor(Any, []) is not null
            ? Activator.CreateInstance(type, nonPublic: true)!
            : RuntimeHelpers.GetUninitializedObject(type); // a record with parameters: its properties are set one by one
    }

    private static bool IsUnique(IProperty property) =>
        property.IsKey() || property.GetContainingIndexes().Any(index => index.IsUnique);

    private static bool IsUnset(object? value, Type type) =>
        value is null or "" || (type.IsValueType && value.Equals(Activator.CreateInstance(Nullable.GetUnderlyingType(type) ?? type)));

    /// <summary>A property without a value that the kit knows: the test may set it.</summary>
    private sealed record Missing(Func<object?> Place, IProperty Property)
    {
        public bool IsStill() => Place() is not { } target || IsUnset(Property.PropertyInfo!.GetValue(target), Property.ClrType);
    }
}
