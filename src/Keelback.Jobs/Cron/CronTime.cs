using System.Globalization;
using NodaTime;

namespace Keelback.Jobs;

/// <summary>Reads a point in time that a person wrote.</summary>
internal static class CronTime
{
    private static readonly string[] s_formats =
        ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd' 'HH:mm", "yyyy-MM-dd' 'HH:mm:ss"];

    /// <param name="text">ISO 8601. Without an offset it is what the zone's clocks show: the first of two, or as far after a gap as it is within.</param>
    /// <param name="zone">An IANA name.</param>
    /// <exception cref="KeelbackException">KB1222, KB1223.</exception>
    public static DateTimeOffset Parse(string text, string zone)
    {
        var rules = CronZones.Find(zone);
        if (DateTime.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return rules.AtLeniently(LocalDateTime.FromDateTime(local)).ToDateTimeOffset();

        string[] zoned = [.. s_formats.Skip(1).Select(format => format + "zzz"), .. s_formats.Skip(1).Select(format => format + "'Z'")];
        return DateTimeOffset.TryParseExact(text, zoned, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw JobErrors.BadTime(text);
    }
}
