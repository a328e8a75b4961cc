using NodaTime;
using NodaTime.TimeZones;

namespace Keelback.Jobs;

/// <summary>Zones by name, the same on every system: from the tz database that NodaTime carries.</summary>
internal static class CronZones
{
    // PST is one letter from EST, and three hours: what such a name means, only who wrote it knows.
    private const int LongestAbbreviation = 4;

    public static DateTimeZone Find(string name) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(name)
        ?? (TzdbDateTimeZoneSource.Default.WindowsMapping.PrimaryMapping.TryGetValue(name, out var iana) ? DateTimeZoneProviders.Tzdb[iana] : null)
        ?? throw JobErrors.NoSuchZone(name, NearestTo(name));

    /// <summary>With the zone's offset; in UTC where a <see cref="DateTimeOffset"/> cannot have that: over 14 hours, or no whole minutes, as before there were zones.</summary>
    public static DateTimeOffset InBcl(this OffsetDateTime tick) =>
        tick.Offset.Seconds % 60 == 0 && Math.Abs(tick.Offset.Seconds) <= 14 * 3600 ? tick.ToDateTimeOffset() : tick.ToInstant().ToDateTimeOffset();

    private static string? NearestTo(string name)
    {
        var (city, ids) = (name[(name.LastIndexOf('/') + 1)..].Replace(' ', '_'), DateTimeZoneProviders.Tzdb.Ids);
        return ids.FirstOrDefault(id => id.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? ids.FirstOrDefault(id => city.Length > 2 && id.EndsWith("/" + city, StringComparison.OrdinalIgnoreCase))
            ?? (name.Length > LongestAbbreviation ? NearestName.Of(name, ids) : null);
    }
}
