using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace Keelback.Data;

/// <summary>Lets work before the commit see the keys that the database made.</summary>
/// <remarks>
/// EF keeps them aside until the changes are accepted, which is after the commit, or never with
/// <c>acceptAllChangesOnSuccess: false</c>. They are lent to the entities, and taken back: a rollback leaves no trace.
/// </remarks>
internal sealed class GeneratedValues : IDisposable
{
    private readonly List<(object Entity, MemberInfo Member, object? Before)> _lent = [];

    private GeneratedValues()
    {
    }

    public static GeneratedValues Lend(IEnumerable<IUpdateEntry> entries)
    {
        var values = new GeneratedValues();
        foreach (var entry in entries)
            if (entry.EntityState is EntityState.Added or EntityState.Modified)
                values.Lend(entry);

        return values;
    }

    public void Dispose()
    {
        foreach (var (entity, member, before) in _lent) Write(entity, member, before);
    }

    private void Lend(IUpdateEntry entry)
    {
        object? entity = null;
        foreach (var property in entry.EntityType.GetProperties())
        {
            if (property.IsShadowProperty() || property.IsIndexerProperty()) continue;
            if (!entry.HasStoreGeneratedValue(property) && !IsPropagated(entry, property)) continue;

            entity ??= entry.ToEntityEntry().Entity;
            var member = property.GetMemberInfo(forMaterialization: true, forSet: true);
            _lent.Add((entity, member, property.GetGetter().GetClrValue(entity)));
            Write(entity, member, entry.GetCurrentValue(property));
        }
    }

    // A foreign key that follows a generated key is kept aside as well.
    private static bool IsPropagated(IUpdateEntry entry, IProperty property) =>
        property.IsForeignKey() && !Equals(entry.GetCurrentValue(property), entry.GetPreStoreGeneratedCurrentValue(property));

    private static void Write(object entity, MemberInfo member, object? value)
    {
        if (member is FieldInfo field) field.SetValue(entity, value);
        else ((PropertyInfo)member).SetValue(entity, value);
    }
}
