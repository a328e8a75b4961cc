using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Figures and times as a person reads them.</summary>
internal static class Show
{
    /// <summary>1,234; from 100,000 on 123k, 1.2M.</summary>
    public static string Count(long n) => n switch
    {
        < 100_000 => n.ToString("N0", CultureInfo.InvariantCulture),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{n / 1000}k"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{n / 1_000_000.0:0.##}M"),
    };

    /// <summary><c>1 run</c>, <c>2 runs</c>.</summary>
    public static string Runs(long n) => n == 1 ? "1 run" : $"{Count(n)} runs";

    /// <summary>A count that ends at 1,000.</summary>
    public static string Bounded(int n) => n > 1000 ? "1,000+" : Count(n);

    /// <summary>Whole megabytes.</summary>
    public static string Bytes(long n) => string.Create(CultureInfo.InvariantCulture, $"{n / 1048576.0:N0} MB");

    /// <summary>Two units at most: 3 ms, 1.24 s, 2 min 5 s, 3 h 12 min, 2 d 4 h.</summary>
    public static string Span(TimeSpan span)
    {
        if (span < TimeSpan.Zero) span = TimeSpan.Zero;
        FormattableString text = span.TotalSeconds switch
        {
            < 0.0005 => $"{span.TotalMicroseconds:0} µs",
            < 1 => $"{span.TotalMilliseconds:0} ms",
            < 10 => $"{span.TotalSeconds:0.00} s",
            < 60 => $"{span.TotalSeconds:0.0} s",
            < 3600 => $"{(int)span.TotalMinutes} min {span.Seconds} s",
            < 86400 => $"{(int)span.TotalHours} h {span.Minutes} min",
            _ => $"{(int)span.TotalDays} d {span.Hours} h",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    public static string Span(double? milliseconds) => milliseconds is { } ms ? Span(TimeSpan.FromMilliseconds(ms)) : "–";

    /// <summary>A point in time: how long ago, and in full for who looks closer.</summary>
    public static Markup Time(DateTimeOffset? at, DateTimeOffset now)
    {
        if (at is not { } time) return Html.Of($"–");
        var text = time <= now ? $"{Span(now - time)} ago" : $"in {Span(time - now)}";
        return Html.Of($"""<time datetime="{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}" title="{Full(time)}">{text}</time>""");
    }

    public static string Full(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture);

    public static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    public static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The state's colour, icon and word.</summary>
    public static Markup State(JobRunState state)
    {
        var (tone, path) = state switch
        {
            JobRunState.Succeeded => ("good", "M2.5 6.5 5 9l4.5-6"),
            JobRunState.Failed or JobRunState.Quarantined => ("bad", "M3 3l6 6M9 3l-6 6"),
            JobRunState.UpstreamFailed => ("bad", "M6 2v5M6 9.5v.5"),
            JobRunState.Running => ("live", "M4 2.5 9.5 6 4 9.5z"),
            JobRunState.Cancelled => ("off", "M2.5 6h7"),
            JobRunState.Scheduled => ("wait", "M6 3v3l2 1.5M6 1.2a4.8 4.8 0 1 0 .01 0"),
            JobRunState.Blocked => ("wait", "M4 2.5v7M8 2.5v7"),
            JobRunState.Limited => ("wait", "M2.5 3h7M2.5 9h7M4 6h4"),
            JobRunState.Ready => ("wait", "M6 3.6a2.4 2.4 0 1 0 .01 0"),
            _ => ("off", "M3 3l3 3-3 3M6.5 3l3 3-3 3"),
        };
        return Html.Of($"""<span class="state {tone}"><svg class="ico" viewBox="0 0 12 12" aria-hidden="true"><path d="{path}"/></svg>{Word(state)}</span>""");
    }

    /// <summary>The state in lower case words: <c>upstream failed</c>.</summary>
    public static string Word(JobRunState state) => Words(state);

    /// <summary>PascalCase as words: <c>timed out</c>.</summary>
    public static string Words<T>(T value) where T : struct, Enum =>
        string.Concat(value.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
}
