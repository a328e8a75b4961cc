using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Keelback.Data;
using Keelback.Web;

namespace Keelback.Resources;

/// <summary>Carries a body's members to the entity's members of the same name, and knows what their columns can hold.</summary>
internal sealed class InputMap
{
    private readonly Target[] _targets;

    private InputMap(JsonContract contract, Target[] targets) => (Contract, _targets) = (contract, targets);

    /// <summary>How the body must look; its members in the order of the targets.</summary>
    public JsonContract Contract { get; }

    /// <summary>Null without an input, and when there are mistakes.</summary>
    public static InputMap? Of(
        string resource, Type? input, ModelEntity entity, StrictJson json, bool isPatch, ICollection<KeelbackException> mistakes)
    {
        if (input is null) return null;

        IEnumerable<ValidationAttribute> Rules(System.Text.Json.Serialization.Metadata.JsonPropertyInfo member) =>
            member.AttributeProvider is MemberInfo property && entity.Fields.TryGetValue(property.Name, out var field)
                ? ColumnRules.Of(field)
                : [];

        var contract = isPatch ? json.Patch(input, Rules) : json.Contract(input, Rules);
        var targets = contract.Members.Select(m => Target.Of(resource, input, m, entity, mistakes)).OfType<Target>().ToArray();
        return targets.Length == contract.Members.Count ? new(contract, targets) : null;
    }

    /// <summary>Sets the members that were sent, or all of them.</summary>
    public void Apply(object input, object entity, bool[]? sent)
    {
        for (var i = 0; i < _targets.Length; i++)
            if (sent is null || sent[i]) _targets[i].Copy(input, entity);
    }

    /// <summary>Fills the members that were not sent from the entity, so that rules over several members see the whole.</summary>
    public void Complete(object input, object entity, bool[] sent)
    {
        for (var i = 0; i < _targets.Length; i++)
            if (!sent[i]) _targets[i].CopyBack(entity, input);
    }

    /// <summary>The place of a sent member that would change the key, which a row keeps for life; null when there is none.</summary>
    public string? ChangedKey(object input, object entity, bool[] sent, ModelField key)
    {
        for (var i = 0; i < _targets.Length; i++)
            if (sent[i] && _targets[i].Field.Name == key.Name && !_targets[i].IsSame(input, entity))
                return "/" + Contract.Members[i].Name;

        return null;
    }

    private sealed record Target(JsonMember Member, ModelField Field, PropertyInfo Property)
    {
        public static Target? Of(string resource, Type input, JsonMember member, ModelEntity entity, ICollection<KeelbackException> mistakes)
        {
            if (!entity.Fields.TryGetValue(member.ClrName, out var field) || field.Property.PropertyInfo is not { CanWrite: true } property)
            {
                mistakes.Add(ResourceErrors.StrangerInput(resource, input.Name, member.ClrName, entity.Type.ClrType.Name,
                    NearestName.Of(member.ClrName, entity.Fields.Keys)));
                return null;
            }

            var (from, to) = (Bare(member.Type), Bare(property.PropertyType));
            if (from == to || to.IsAssignableFrom(from)) return new(member, field, property);

            mistakes.Add(ResourceErrors.UnfitInput(resource, input.Name, member.ClrName, from.Name, to.Name));
            return null;
        }

        public void Copy(object input, object entity) => Property.SetValue(entity, Times.Fit(Member.Info.Get!(input), Field));

        public void CopyBack(object entity, object input) => Member.Info.Set?.Invoke(input, Property.GetValue(entity));

        public bool IsSame(object input, object entity) => Equals(Member.Info.Get!(input), Property.GetValue(entity));

        private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
    }
}
