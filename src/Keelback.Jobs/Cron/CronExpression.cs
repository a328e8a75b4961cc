using System.Diagnostics.CodeAnalysis;
using NodaTime;

namespace Keelback.Jobs;

/// <summary>A cron expression of five fields, or of six with seconds first, as in crontab(5), with <c>L</c>, <c>W</c>, <c>#</c>, <c>H</c> and macros.</summary>
/// <remarks>
/// Where clocks go forward, a time that is left out fires once, at the first instant after the gap. Where they go back, a time that comes
/// twice fires the first time only. An expression that says how often (<c>*</c> or a step in its hours, minutes or seconds) fires both times
/// that come twice, so that a rate within the hour is kept through both changes. One in its hours has nothing to make up for after a gap, and a
/// step there counts the clock's hours: <c>0 */2 * * *</c> leaves a missing 02:00 out, and fires at each of two.
/// </remarks>
public sealed class CronExpression
{
    // The walk looks 400 years ahead, and DateTime ends in 9999.
    internal static readonly DateTimeOffset First = new(1, 1, 3, 0, 0, 0, TimeSpan.Zero);
    internal static readonly DateTimeOffset Last = new(9990, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _text;
    private readonly CronWalk _walk;

    private CronExpression(string text, CronList[] fields)
    {
        (_text, Fields) = (text, fields);
        _walk = new(fields[0], fields[1], fields[2], new(fields[3], fields[4], fields[5]));
    }

    /// <summary>Seconds first.</summary>
    internal IReadOnlyList<CronList> Fields { get; }

    /// <param name="text">Such as <c>30 2 * * MON-FRI</c>.</param>
    /// <param name="hashKey">What <c>H</c> picks by; a schedule's name spreads schedules evenly.</param>
    /// <exception cref="KeelbackException">KB1220: field, position, and what is wrong there. KB1221: it can never fire.</exception>
    public static CronExpression Parse(string text, string hashKey = "")
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(hashKey);

        var expression = new CronExpression(text.Trim(), CronParser.Parse(text, hashKey));
        return expression._walk.AtOrAfter(new DateTime(2000, 1, 1)) is null ? throw JobErrors.NeverFires(text) : expression;
    }

    /// <summary>False where <see cref="Parse"/> would throw.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out CronExpression? expression)
    {
        try
        {
            expression = text is null ? null : Parse(text);
        }
        catch (KeelbackException)
        {
            expression = null;
        }

        return expression is not null;
    }

    /// <summary>The first tick after an instant, which is not included itself; null when there is none before the year 9990.</summary>
    /// <param name="after">To the second: ticks have no fractions.</param>
    /// <param name="zone">An IANA name such as <c>Europe/Berlin</c>; Windows names are understood too.</param>
    /// <exception cref="KeelbackException">KB1222: there is no such zone.</exception>
    public DateTimeOffset? Next(DateTimeOffset after, string zone = "UTC")
    {
        var ticks = In(zone);
        if (after >= Last) return null;
        if (after < First) after = First;

        var from = Instant.FromUnixTimeSeconds(after.ToUnixTimeSeconds()) + Duration.FromSeconds(1);
        return ticks.AtOrAfter(from)?.InBcl() is { } tick && tick < Last ? tick : null;
    }

    /// <summary>The last tick before an instant, which is not included itself; null when there is none after the year 1.</summary>
    /// <inheritdoc cref="Next"/>
    public DateTimeOffset? Previous(DateTimeOffset before, string zone = "UTC")
    {
        var ticks = In(zone);
        if (before <= First) return null;
        if (before > Last) before = Last;

        var to = Instant.FromUnixTimeSeconds(before.AddTicks(-1).ToUnixTimeSeconds());
        return ticks.AtOrBefore(to)?.InBcl() is { } tick && tick >= First ? tick : null;
    }

    /// <summary>What it means, in English, such as <c>at 02:30 on Monday to Friday</c>.</summary>
    public string Describe() => CronWords.Of(Fields);

    /// <summary>The expression as it was written.</summary>
    public override string ToString() => _text;

    private CronTicks In(string zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var isHourRate = Fields[2].IsRate;
        return new(_walk, CronZones.Find(zone), isHourRate || Fields[1].IsRate || Fields[0].IsRate, isHourRate);
    }
}
