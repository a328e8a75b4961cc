using System.ComponentModel.DataAnnotations;

namespace Keelback.Web;

/// <summary>Checks one member's validation attributes and names the broken ones.</summary>
internal static class MemberRules
{
    public static void Check(JsonMember member, object? value, object owner, string pointer, ErrorList errors)
    {
        var context = new ValidationContext(owner) { MemberName = member.ClrName, DisplayName = member.Name };
        foreach (var rule in member.Rules)
        {
            // It compares with a sibling, which a stand-in for the owner does not have.
            if (rule is CompareAttribute && owner.GetType() == typeof(object)) continue;

            if (rule.GetValidationResult(value, context) is { } broken)
                errors.Add(pointer, Code(rule), broken.ErrorMessage ?? "The value breaks a rule.");
        }
    }

    private static string Code(ValidationAttribute rule) => rule switch
    {
        RequiredAttribute => "required",
        RangeAttribute => "range",
        StringLengthAttribute or MaxLengthAttribute or MinLengthAttribute or LengthAttribute => "length",
        RegularExpressionAttribute => "pattern",
        AllowedValuesAttribute or DeniedValuesAttribute or EnumDataTypeAttribute => "enum",
        CompareAttribute => "compare",
        ICodedRule coded => coded.Code,
        _ => Named(rule.GetType().Name),
    };

    // EmailAddressAttribute is "emailAddress".
    private static string Named(string type)
    {
        const string Suffix = "Attribute";
        var name = type.EndsWith(Suffix, StringComparison.Ordinal) ? type[..^Suffix.Length] : type;
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}

/// <summary>A validation attribute of our own, which brings its error code along.</summary>
internal interface ICodedRule
{
    string Code { get; }
}
