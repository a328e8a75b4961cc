using Keelback.Data;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources;

/// <summary>A definition that fits its model: the entity, and what a body may set of it.</summary>
internal sealed record ResourceModel(ModelEntity Entity, InputMap? Create, InputMap? Update)
{
    private static readonly Type[] s_keyTypes = [typeof(int), typeof(long), typeof(short), typeof(Guid), typeof(string)];

    /// <summary>Asks the model only, not the database; null when there are mistakes.</summary>
    public static ResourceModel? Of<T, TDto>(
        ResourceDefinition<T, TDto> definition, DbContext db, StrictJson json, ICollection<KeelbackException> mistakes)
        where T : class
        where TDto : class
    {
        if (new ModelCatalog(db).Find(typeof(T)) is not { } entity)
        {
            mistakes.Add(ResourceErrors.NoEntity(definition.Name, typeof(T).Name));
            return null;
        }

        if (entity.Key is not { } key || !s_keyTypes.Contains(key.ClrType) || key.Property.PropertyInfo is null)
            mistakes.Add(ResourceErrors.NoKey(definition.Name, typeof(T).Name));
        var create = InputMap.Of(definition.Name, definition.Create, entity, json, isPatch: false, mistakes);
        var update = InputMap.Of(definition.Name, definition.Update, entity, json, isPatch: true, mistakes);

        return mistakes.Count == 0 ? new(entity, create, update) : null;
    }
}
