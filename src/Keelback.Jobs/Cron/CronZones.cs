using NodaTime;
using NodaTime.TimeZones;

namespace Keelback.Jobs;

/// <summary>Zones by name, the same on every system: from the tz database that NodaTime carries.</summary>
internal static class CronZones
{
    public static DateTimeZone Find(string name) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(name)
        ?? (TzdbDateTimeZoneSource.Default.WindowsMapping.PrimaryMapping.TryGetValue(name, out var iana) ? DateTimeZoneProviders.Tzdb[iana] : null)
        ?? throw JobErrors.NoSuchZone(name, NearestTo(name));

    private static string? NearestTo(string name)
    {
        var (city, ids) = (name[(name.LastIndexOf('/') + 1)..].Replace(' ', '_'), DateTimeZoneProviders.Tzdb.Ids);
        return ids.FirstOrDefault(id => id.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? ids.FirstOrDefault(id => city.Length > 2 && id.EndsWith("/" + city, StringComparison.OrdinalIgnoreCase))
            ?? NearestName.Of(name, ids);
    }
}
