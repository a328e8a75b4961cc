using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;

namespace Keelback.Jobs;

/// <summary>Reads a point in time that a person wrote.</summary>
internal static partial class CronTime
{
    private static readonly string[] s_dates = ["yyyy-MM-dd", "yyyyMMdd"];

    private static readonly string[] s_times =
    [
        "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd' 'HH:mm", "yyyy-MM-dd' 'HH:mm:ss",
        "yyyyMMdd'T'HHmm", "yyyyMMdd'T'HHmmss", "yyyyMMdd'T'HHmmss.FFFFFFF",
    ];

    private static readonly string[] s_local = [.. s_dates, .. s_times];
    private static readonly string[] s_zoned = [.. from time in s_times from offset in new[] { "'Z'", "zz", "zzz" } select time + offset];

    /// <param name="text">ISO 8601. Without an offset it is what the zone's clocks show: the first of two, or as far after a gap as it is within.</param>
    /// <param name="zone">An IANA name.</param>
    /// <exception cref="KeelbackException">KB1222, KB1223.</exception>
    public static DateTimeOffset Parse(string text, string zone)
    {
        var rules = CronZones.Find(zone);
        var written = DigitsTooMany().Replace(text, "");
        if (DateTime.TryParseExact(written, s_local, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return IsWithin(local, rules) ? rules.AtLeniently(LocalDateTime.FromDateTime(local)).ToInstant().ToDateTimeOffset() : throw JobErrors.BadTime(text);

        return DateTimeOffset.TryParseExact(written, s_zoned, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw JobErrors.BadTime(text);
    }

    // The first and the last day of the calendar are in another year elsewhere.
    private static bool IsWithin(DateTime local, DateTimeZone rules) =>
        local.Ticks >= rules.MaxOffset.Ticks && local.Ticks - rules.MinOffset.Ticks <= DateTime.MaxValue.Ticks;

    // .NET reads seven.
    [GeneratedRegex(@"(?<=\.[0-9]{7})[0-9]+")]
    private static partial Regex DigitsTooMany();
}
