using System.ComponentModel.DataAnnotations;
using Keelback.Data;
using Keelback.Web;

namespace Keelback.Resources;

/// <summary>What a column can hold, as rules for the input: a value that does not fit is the caller's mistake and not the database's.</summary>
internal static class ColumnRules
{
    public static IEnumerable<ValidationAttribute> Of(ModelField field)
    {
        if (!field.IsNullable) yield return new NotNullRule();
        if (field.MaxLength is { } length) yield return new LengthRule(length);
        if (field.Digits is { } digits) yield return new DigitsRule(digits.Precision, digits.Scale);
    }

    internal sealed class NotNullRule : ValidationAttribute, ICodedRule
    {
        public string Code => "null";

        public override bool IsValid(object? value) => value is not null;

        public override string FormatErrorMessage(string name) => "null is not allowed.";
    }

    // PostgreSQL counts characters; string.Length counts UTF-16 units, of which some characters take two.
    internal sealed class LengthRule(int most) : ValidationAttribute, ICodedRule
    {
        public int Most => most;

        public string Code => "length";

        public override bool IsValid(object? value) =>
            value is not string text || text.Length <= most || text.EnumerateRunes().Count() <= most;

        public override string FormatErrorMessage(string name) => $"At most {most} characters.";
    }

    // PostgreSQL would refuse too many digits before the point, and round silently those after it.
    private sealed class DigitsRule(int precision, int scale) : ValidationAttribute, ICodedRule
    {
        private readonly decimal _tooLarge = precision - scale >= 28 ? decimal.MaxValue : (decimal)Math.Pow(10, precision - scale);

        public string Code => "range";

        public override bool IsValid(object? value) =>
            value is not decimal number || Math.Abs(number) < _tooLarge && decimal.Round(number, Math.Min(scale, 28)) == number;

        public override string FormatErrorMessage(string name) =>
            $"At most {precision - scale} digits before the point and {scale} after it.";
    }
}
