using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Keelback.Web;

/// <summary>Compares a number with the bounds of a <c>[Range]</c> as it is.</summary>
/// <remarks>The attribute first makes the number what its bounds are: 1000.4 becomes the integer 1000, and 1e20 overflows.</remarks>
internal static class NumberRange
{
    /// <summary>Whether the value is within; null where value and bounds are no numbers, and the attribute knows itself.</summary>
    public static bool? Holds(RangeAttribute range, object? value)
    {
        if (!IsNumber(value)) return null;

        range.IsValid(null); // parses bounds that are given as text
        if (!IsNumber(range.Minimum) || !IsNumber(range.Maximum)) return null;

        var (low, high) = (Compare(value!, range.Minimum), Compare(value!, range.Maximum));
        return (range.MinimumIsExclusive ? low > 0 : low >= 0) && (range.MaximumIsExclusive ? high < 0 : high <= 0);
    }

    private static bool IsNumber(object? value) => value is not Enum && Convert.GetTypeCode(value) is >= TypeCode.SByte and <= TypeCode.Decimal;

    private static int Compare(object value, object bound) => value is not (double or float) && Exact(bound) is { } exact
        ? Convert.ToDecimal(value, CultureInfo.InvariantCulture).CompareTo(exact)
        : Convert.ToDouble(value, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(bound, CultureInfo.InvariantCulture));

    private static decimal? Exact(object bound) => bound is (double or float) and IConvertible real && !(Math.Abs(real.ToDouble(null)) < 7.9e28)
        ? null
        : Convert.ToDecimal(bound, CultureInfo.InvariantCulture);
}
