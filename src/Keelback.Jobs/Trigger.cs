using System.Text.Json.Serialization;

namespace Keelback.Jobs;

/// <summary>When a schedule ticks.</summary>
/// <remarks>A value: it knows nothing of what ran. Ticks are whole microseconds.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CronTrigger), "cron")]
[JsonDerivedType(typeof(IntervalTrigger), "interval")]
[JsonDerivedType(typeof(OnceTrigger), "once")]
[JsonDerivedType(typeof(CalendarTrigger), "calendar")]
[JsonDerivedType(typeof(SolarTrigger), "solar")]
[JsonDerivedType(typeof(AnyTrigger), "any")]
[JsonDerivedType(typeof(AllTrigger), "all")]
public abstract record Trigger
{
    private protected Trigger()
    {
    }

    /// <summary>Whose dates holidays are compared with: an IANA name.</summary>
    [JsonIgnore]
    internal virtual string ZoneName => "UTC";

    /// <summary>By a cron expression of five or six fields; <c>H</c> picks by the schedule's name. <see cref="CronExpression"/> has the rules.</summary>
    /// <param name="expression">Such as <c>30 2 * * MON-FRI</c>.</param>
    /// <param name="zone">An IANA name such as <c>Europe/Berlin</c>.</param>
    /// <exception cref="KeelbackException">KB1220 to KB1222.</exception>
    public static Trigger Cron(string expression, string zone = "UTC")
    {
        _ = CronExpression.Parse(expression);
        return new CronTrigger(expression.Trim(), CronZones.Find(zone).Id);
    }

    /// <summary>At a fixed rate, however long runs take and whatever clocks do.</summary>
    /// <param name="interval">Whole milliseconds, 1 s to 36,525 days.</param>
    /// <param name="aligned">
    /// True: at multiples of the interval since 1970 UTC, so that 5 minutes are :00, :05, :10. False: counted from
    /// <see cref="ScheduleOptions.Start"/>, which is the first tick; without one from when the schedule was made, an interval later.
    /// </param>
    /// <exception cref="KeelbackException">KB1255.</exception>
    public static Trigger Every(TimeSpan interval, bool aligned = false) =>
        interval < TimeSpan.FromSeconds(1) || interval > TimeSpan.FromDays(36_525) || interval.Ticks % TimeSpan.TicksPerMillisecond != 0
            ? throw JobErrors.BadTrigger($"an interval of {interval} is not whole milliseconds between 1 second and 36,525 days.")
            : new IntervalTrigger(interval, aligned);

    /// <summary>Why a rate cannot have a zone, which people give who expect midnight there.</summary>
    internal static string NoZoneBesideRate(string zone) =>
        $"a rate ticks at multiples of itself since 1970 UTC, in no zone ('{zone}'). Leave the zone out, or give a cron expression, such as '0 0 * * *' for midnight there.";

    /// <summary>Once.</summary>
    public static Trigger Once(DateTimeOffset at) => new OnceTrigger(at);

    /// <summary>Every so many days at a time of day. Where clocks skip it, at the first instant after; where it comes twice, the first time.</summary>
    /// <param name="days">1 to 1,000.</param>
    /// <param name="at">Of the zone's clocks.</param>
    /// <param name="zone">An IANA name.</param>
    /// <param name="from">A day that counts; default: the day that the schedule was made.</param>
    /// <exception cref="KeelbackException">KB1222, KB1255.</exception>
    public static Trigger EveryDays(int days, TimeOnly at, string zone = "UTC", DateOnly? from = null) =>
        CalendarTrigger.Of(CalendarUnit.Day, days, [], null, at, zone, from);

    /// <summary>On these days of every so many weeks, which begin on Monday.</summary>
    /// <param name="weeks">1 to 1,000.</param>
    /// <param name="on">At least one.</param>
    /// <param name="at">Of the zone's clocks; gaps and overlaps as in <see cref="EveryDays"/>.</param>
    /// <param name="zone">An IANA name.</param>
    /// <param name="from">A day of a week that counts; default: the day that the schedule was made.</param>
    /// <exception cref="KeelbackException">KB1222, KB1255.</exception>
    public static Trigger EveryWeeks(int weeks, IEnumerable<DayOfWeek> on, TimeOnly at, string zone = "UTC", DateOnly? from = null) =>
        CalendarTrigger.Of(CalendarUnit.Week, weeks, on, null, at, zone, from);

    /// <summary>On a day of every so many months.</summary>
    /// <param name="months">1 to 1,000; 12 is once a year.</param>
    /// <param name="day">1 to 31, in shorter months their last; or -1, the last, to -28.</param>
    /// <param name="at">Of the zone's clocks; gaps and overlaps as in <see cref="EveryDays"/>.</param>
    /// <param name="zone">An IANA name.</param>
    /// <param name="from">A day of a month that counts; default: the day that the schedule was made.</param>
    /// <exception cref="KeelbackException">KB1222, KB1255.</exception>
    public static Trigger EveryMonths(int months, int day, TimeOnly at, string zone = "UTC", DateOnly? from = null) =>
        CalendarTrigger.Of(CalendarUnit.Month, months, [], day, at, zone, from);

    /// <summary>When the sun does something at a place, to about a minute. Days on which it does not, near the poles, are left out.</summary>
    /// <param name="what">What the sun does.</param>
    /// <param name="latitude">Degrees, north is positive: -90 to 90.</param>
    /// <param name="longitude">Degrees, east is positive: -180 to 180.</param>
    /// <exception cref="KeelbackException">KB1255.</exception>
    public static Trigger Solar(SolarEvent what, double latitude, double longitude) => latitude switch
    {
        _ when !Enum.IsDefined(what) => throw JobErrors.BadTrigger($"there is no solar event {what}."),
        not (>= -90 and <= 90) => throw JobErrors.BadTrigger(FormattableString.Invariant($"a latitude of {latitude} is not between -90 and 90 degrees.")),
        _ when longitude is not (>= -180 and <= 180) =>
            throw JobErrors.BadTrigger(FormattableString.Invariant($"a longitude of {longitude} is not between -180 and 180 degrees.")),
        _ => new SolarTrigger(what, latitude, longitude),
    };

    /// <summary>Whenever one of these ticks; two at the same instant are one tick. Its zone, whose dates holidays are compared with and which ticks are told in, is the first one's.</summary>
    /// <exception cref="KeelbackException">KB1255: none was given.</exception>
    public static Trigger Any(params IEnumerable<Trigger> triggers) => new AnyTrigger(SomeOf(triggers));

    /// <summary>Only when all of these tick at the same instant. Its zone is the first one's, as with <see cref="Any"/>.</summary>
    /// <exception cref="KeelbackException">KB1255: none was given.</exception>
    public static Trigger All(params IEnumerable<Trigger> triggers) => new AllTrigger(SomeOf(triggers));

    /// <summary>Its ticks after an instant, with its zone's offset, without end; as a schedule that is made at that instant, and is called <paramref name="name"/>, has them.</summary>
    public IEnumerable<DateTimeOffset> TicksAfter(DateTimeOffset after, string name = "")
    {
        ArgumentNullException.ThrowIfNull(name);
        var source = new TickSource(this, new(), name, after);
        return source.After(after).Select(source.InZone);
    }

    /// <summary>In words, such as <c>cron 0 2 * * * (Europe/Berlin)</c>.</summary>
    public sealed override string ToString() => Words;

    /// <inheritdoc cref="ToString"/>
    [JsonIgnore]
    internal abstract string Words { get; }

    /// <summary>The first tick after an instant, which is not included; null: none.</summary>
    internal abstract DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin);

    private static List<Trigger> SomeOf(IEnumerable<Trigger> triggers)
    {
        ArgumentNullException.ThrowIfNull(triggers);
        var all = triggers.ToList();
        if (all.Contains(null!)) throw new ArgumentNullException(nameof(triggers));
        return all.Count > 0 ? all : throw JobErrors.BadTrigger("a combination of no triggers never ticks. Give at least one.");
    }
}

/// <summary>What the sun does. Dawn and dusk: its centre is 6, 12 or 18 degrees under the horizon.</summary>
public enum SolarEvent
{
    /// <summary>18 degrees under the horizon, rising.</summary>
    AstronomicalDawn,

    /// <summary>12 degrees under the horizon, rising.</summary>
    NauticalDawn,

    /// <summary>6 degrees under the horizon, rising.</summary>
    CivilDawn,

    /// <summary>Its upper edge appears.</summary>
    Sunrise,

    /// <summary>It is highest.</summary>
    Noon,

    /// <summary>Its upper edge disappears.</summary>
    Sunset,

    /// <summary>6 degrees under the horizon, setting.</summary>
    CivilDusk,

    /// <summary>12 degrees under the horizon, setting.</summary>
    NauticalDusk,

    /// <summary>18 degrees under the horizon, setting.</summary>
    AstronomicalDusk,
}
