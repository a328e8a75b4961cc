namespace Keelback.Jobs;

/// <summary><see cref="Trigger.Solar"/>.</summary>
/// <remarks>
/// The equations of NOAA's solar calculator (gml.noaa.gov/grad/solcalc, "calcdetails", after Meeus, Astronomical Algorithms), good for
/// the years 1900 to 2100 to about a minute between the polar circles. The zenith of a rise or set is 90.833 degrees: 34' of
/// refraction, and 16' for the sun's radius.
/// </remarks>
internal sealed record SolarTrigger(SolarEvent What, double Latitude, double Longitude) : Trigger
{
    private const double Degree = Math.PI / 180;
    private static readonly DateTimeOffset s_j2000 = new(2000, 1, 1, 12, 0, 0, TimeSpan.Zero);

    internal override string Words => FormattableString.Invariant($"{What} at {Latitude}, {Longitude}");

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
    {
        if (after.Year > 9000) return null;
        var day = new DateTimeOffset(after.UtcDateTime.Date, TimeSpan.Zero).AddDays(-2);
        for (var i = 0; i < 370; i++) // longer than any polar night
            if (On(day.AddDays(i)) is { } tick && tick > after) return tick;

        return null;
    }

    /// <summary>On the day whose noon at this longitude lies around 12:00 UTC less the longitude; null: the sun does not.</summary>
    private DateTimeOffset? On(DateTimeOffset midnight)
    {
        // The sun moves while the day passes: a second round with the first one's answer is good to seconds.
        var minutes = 720 - 4 * Longitude;
        for (var round = 0; round < 3; round++)
        {
            if (Minutes(midnight.AddMinutes(minutes)) is not { } better) return null;
            minutes = better;
        }

        return midnight.AddSeconds(Math.Round(minutes * 60));
    }

    private double? Minutes(DateTimeOffset near)
    {
        var (declination, equationOfTime) = Sun(near);
        var noon = 720 - 4 * Longitude - equationOfTime;
        var (zenith, side) = What switch
        {
            SolarEvent.AstronomicalDawn => (108, -1),
            SolarEvent.NauticalDawn => (102, -1),
            SolarEvent.CivilDawn => (96, -1),
            SolarEvent.Sunrise => (90.833, -1),
            SolarEvent.Sunset => (90.833, 1),
            SolarEvent.CivilDusk => (96, 1),
            SolarEvent.NauticalDusk => (102, 1),
            SolarEvent.AstronomicalDusk => (108, 1),
            _ => (0.0, 0),
        };
        if (side == 0) return noon;

        var latitude = Latitude * Degree;
        var cosine = Math.Cos(zenith * Degree) / (Math.Cos(latitude) * Math.Cos(declination)) - Math.Tan(latitude) * Math.Tan(declination);
        return cosine is >= -1 and <= 1 ? noon + side * 4 * Math.Acos(cosine) / Degree : null;
    }

    /// <summary>The declination in radians, the equation of time in minutes.</summary>
    private static (double Declination, double EquationOfTime) Sun(DateTimeOffset at)
    {
        var t = (at - s_j2000).TotalDays / 36525; // Julian centuries

        var meanLongitude = (280.46646 + t * (36000.76983 + t * 0.0003032)) % 360 * Degree;
        var anomaly = (357.52911 + t * (35999.05029 - 0.0001537 * t)) * Degree;
        var eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t);
        var center = Math.Sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
            + Math.Sin(2 * anomaly) * (0.019993 - 0.000101 * t) + Math.Sin(3 * anomaly) * 0.000289;

        var node = (125.04 - 1934.136 * t) * Degree;
        var longitude = meanLongitude + (center - 0.00569 - 0.00478 * Math.Sin(node)) * Degree;
        var obliquity = (23 + (26 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60) / 60 + 0.00256 * Math.Cos(node)) * Degree;

        var y = Math.Tan(obliquity / 2) * Math.Tan(obliquity / 2);
        var equation = y * Math.Sin(2 * meanLongitude) - 2 * eccentricity * Math.Sin(anomaly)
            + 4 * eccentricity * y * Math.Sin(anomaly) * Math.Cos(2 * meanLongitude)
            - 0.5 * y * y * Math.Sin(4 * meanLongitude) - 1.25 * eccentricity * eccentricity * Math.Sin(2 * anomaly);

        return (Math.Asin(Math.Sin(obliquity) * Math.Sin(longitude)), 4 * equation / Degree);
    }
}
