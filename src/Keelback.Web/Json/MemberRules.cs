using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Keelback.Web;

/// <summary>Checks one member's validation attributes and names the broken ones.</summary>
internal static class MemberRules
{
    private const string Unsaid = "The value breaks a rule.";

    /// <param name="member">Whose rules are checked.</param>
    /// <param name="value">The member's value.</param>
    /// <param name="owner">The object that has the member; null while it cannot be made, and then the rules that ask for it wait.</param>
    /// <param name="pointer">The member's place.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public static void Check(JsonMember member, object? value, object? owner, string pointer, ErrorList errors)
    {
        var context = new ValidationContext(owner ?? new object()) { MemberName = member.ClrName, DisplayName = member.Name };
        foreach (var rule in owner is null ? member.LoneRules : member.Rules)
            if (Broken(rule, value, context) is { } message)
                errors.Add(pointer, Code(rule), message);
    }

    /// <summary>Whether the rule may look at more than its member: it is told the owner, and is not written to go without.</summary>
    public static bool AsksOwner(ValidationAttribute rule) => rule.RequiresValidationContext
        || rule.GetType().GetMethod("IsValid", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(object), typeof(ValidationContext)])
            ?.DeclaringType != typeof(ValidationAttribute);

    private static string? Broken(ValidationAttribute rule, object? value, ValidationContext context)
    {
        try
        {
            if (rule is RangeAttribute range && range.GetType() == typeof(RangeAttribute) && NumberRange.Holds(range, value) is { } holds)
                return holds ? null : range.FormatErrorMessage(context.DisplayName);

            return rule.GetValidationResult(value, context) is { } broken ? broken.ErrorMessage ?? Unsaid : null;
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or FormatException or RegexMatchTimeoutException)
        {
            // A rule that can make nothing of a value does not hold for it.
            return Unsaid;
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
