using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>Checks validation attributes, and <see cref="IValidatableObject"/>, on an object and all below it.</summary>
internal static class ObjectRules
{
    public const string NotTogether = "The values are not accepted together.";

    /// <param name="contract">Whose members are checked.</param>
    /// <param name="value">The object, array or dictionary.</param>
    /// <param name="sent">The root's members that were sent, when only those shall be checked.</param>
    /// <param name="pointer">The value's own place.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public static void Check(JsonContract contract, object? value, bool[]? sent, string pointer, ErrorList errors)
    {
        if (value is null || !contract.HasRules || errors.IsFull) return;

        switch (contract.Info.Kind)
        {
            case JsonTypeInfoKind.Object when !contract.IsOpaque:
                CheckObject(contract, value, sent, pointer, errors);
                break;
            case JsonTypeInfoKind.Enumerable when value is IEnumerable items:
                var i = 0;
                foreach (var item in items.Cast<object?>().TakeWhile(_ => !errors.IsFull))
                    Check(contract.Element!, item, null, JsonPointer.Append(pointer, i++), errors);
                break;
            case JsonTypeInfoKind.Dictionary when value is IDictionary entries:
                foreach (DictionaryEntry entry in entries)
                    Check(contract.Element!, entry.Value, null, JsonPointer.Append(pointer, entry.Key.ToString()!), errors);
                break;
        }
    }

    private static void CheckObject(JsonContract contract, object value, bool[]? sent, string pointer, ErrorList errors)
    {
        var before = errors.Count;
        for (var i = 0; i < contract.Members.Count; i++)
        {
            var member = contract.Members[i];
            if (sent is not null && !sent[i] || member.Info.Get is not { } get) continue;

            var place = JsonPointer.Append(pointer, member.Name);
            if (member.Rules.Count > 0) MemberRules.Check(member, get(value), value, place, errors);
            Check(contract.Of(member), get(value), null, place, errors);
        }

        // A rule over several members may rely on each of them, so it waits until they are right.
        if (sent is null && errors.Count == before && value is IValidatableObject validatable)
            CheckTogether(contract, validatable, pointer, errors);
    }

    public static void CheckTogether(JsonContract contract, IValidatableObject value, string pointer, ErrorList errors)
    {
        foreach (var broken in Broken(value))
        {
            var places = broken.MemberNames
                .Select(name => contract.Members.FirstOrDefault(m => m.ClrName == name)?.Name ?? name)
                .Select(name => JsonPointer.Append(pointer, name))
                .DefaultIfEmpty(pointer);
            foreach (var place in places)
                errors.Add(place, "value", broken.ErrorMessage ?? "The value breaks a rule.");
        }
    }

    private static IReadOnlyList<ValidationResult> Broken(IValidatableObject value)
    {
        try
        {
            // ValidationResult.Success is null.
            return [.. value.Validate(new ValidationContext(value)).Where(r => r is not null)];
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return [new(NotTogether)];
        }
    }
}
