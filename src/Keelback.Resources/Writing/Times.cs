using Keelback.Data;

namespace Keelback.Resources;

/// <summary>Makes a time what its column takes: UTC where the column knows zones, no zone where it does not.</summary>
internal static class Times
{
    public static object? Fit(object? value, ModelField field) => value switch
    {
        DateTime time => Fit(time, field.IsInstant),
        DateTimeOffset instant => instant.ToUniversalTime(),
        _ => value,
    };

    // A time without a zone is UTC.
    public static DateTime Fit(DateTime time, bool isInstant)
    {
        var utc = time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time;
        return DateTime.SpecifyKind(utc, isInstant ? DateTimeKind.Utc : DateTimeKind.Unspecified);
    }
}
