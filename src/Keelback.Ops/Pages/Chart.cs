using System.Globalization;
using System.Text;

namespace Keelback.Ops;

/// <summary>Bars and lines as SVG, stretched to the width there is; words stand beside it, so that they are not stretched.</summary>
internal static class Chart
{
    private const double Height = 100;
    private const double Slot = 10;
    private static readonly double[] s_nice = [1, 2, 5, 10];

    /// <summary>What ended in each stretch of time, failures on top.</summary>
    public static Markup Throughput(IReadOnlyList<(DateTimeOffset At, Figures Sums)> bars, FigureRange range)
    {
        var most = Nice(bars.Max(b => b.Sums.Ended));
        var shapes = new StringBuilder();
        for (var i = 0; i < bars.Count; i++)
        {
            var (at, sums) = bars[i];
            var (good, off, bad) = (sums.Succeeded / most * Height, (sums.Cancelled + sums.Other) / most * Height, sums.Failed / most * Height);
            shapes.Append("<g>");
            Rect(shapes, i, 0, Height, "hit");
            Rect(shapes, i, Height - good, good, "good");
            Rect(shapes, i, Height - good - off, off, "off");
            Rect(shapes, i, Height - good - off - bad, bad, "bad");
            shapes.Append(Html.Of($"<title>{Label(at, range)}: {Show.Count(sums.Succeeded)} succeeded, {Show.Count(sums.Failed)} failed, {Show.Count(sums.Cancelled + sums.Other)} cancelled or never ran</title></g>"));
        }

        var unit = range.PerMinute ? "a minute" : "an hour";
        return Frame(Raw(shapes), bars, range, $"Runs ended {unit}", Show.Count((long)most),
            Html.Of($"""<span class="key good">succeeded</span><span class="key bad">failed</span><span class="key off">cancelled or never ran</span>"""));
    }

    /// <summary>Half and 95 % of the runs took or waited no longer than this.</summary>
    public static Markup Latency(IReadOnlyList<(DateTimeOffset At, Figures Sums)> bars, FigureRange range)
    {
        (string Class, string Word, Func<Figures, double?> Of)[] lines =
        [
            ("wait95", "wait, 95 %", f => Figures.Quantile(f.Waited, 0.95)), ("took95", "duration, 95 %", f => Figures.Quantile(f.Took, 0.95)),
            ("took50", "duration, median", f => Figures.Quantile(f.Took, 0.5)),
        ];

        // Logarithmic: a millisecond and an hour are on one picture.
        var most = Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(10, bars.Max(b => lines.Max(l => l.Of(b.Sums) ?? 0))))));
        double Y(double ms) => Height - Math.Log10(Math.Max(1, ms)) / Math.Log10(most) * Height;

        var shapes = new StringBuilder();
        for (var decade = 10.0; decade < most; decade *= 10)
            shapes.Append(Html.Of($"""<line class="grid" x1="0" x2="{bars.Count * Slot}" y1="{Y(decade):0.##}" y2="{Y(decade):0.##}"/>"""));
        foreach (var line in lines)
        {
            var path = new StringBuilder();
            var down = false;
            for (var i = 0; i < bars.Count; i++)
            {
                var value = line.Of(bars[i].Sums);
                if (value is { } ms) path.Append(CultureInfo.InvariantCulture, $"{(down ? 'L' : 'M')}{i * Slot + Slot / 2:0.##} {Y(ms):0.##}h.01");
                down = value is not null;
            }

            shapes.Append(Html.Of($"""<path class="line {line.Class}" d="{path.ToString()}"/>"""));
        }

        for (var i = 0; i < bars.Count; i++)
        {
            var (at, sums) = bars[i];
            shapes.Append("<g>");
            Rect(shapes, i, 0, Height, "hit");
            shapes.Append(Html.Of($"<title>{Label(at, range)}: {string.Join(", ", lines.Select(l => $"{l.Word} {Show.Span(l.Of(sums))}"))}</title></g>"));
        }

        return Frame(Raw(shapes), bars, range, "Latency, each line a tenfold", Show.Span(most),
            Html.Each(lines, l => Html.Of($"""<span class="key {l.Class}">{l.Word}</span>""")));
    }

    private static Markup Frame(
        Markup shapes, IReadOnlyList<(DateTimeOffset At, Figures Sums)> bars, FigureRange range, string title, string most, Markup keys) => Html.Of(
        $"""
        <figure class="chart">
        <figcaption>{title}<span class="most">{most}</span></figcaption>
        <svg viewBox="0 0 {bars.Count * Slot} {Height}" preserveAspectRatio="none" role="img" aria-label="{title}">{shapes}</svg>
        <div class="axis"><span>{Label(bars[0].At, range)}</span><span>{Label(bars[bars.Count / 2].At, range)}</span><span>{Label(bars[^1].At, range)} UTC</span></div>
        <div class="keys">{keys}</div>
        </figure>
        """);

    private static void Rect(StringBuilder shapes, int slot, double y, double height, string tone)
    {
        if (height <= 0) return;
        var (x, width) = tone == "hit" ? (slot * Slot, Slot) : (slot * Slot + 1, Slot - 2);
        shapes.Append(Html.Of($"""<rect class="{tone}" x="{x}" y="{y:0.##}" width="{width}" height="{height:0.##}"/>"""));
    }

    private static string Label(DateTimeOffset at, FigureRange range) =>
        at.UtcDateTime.ToString(range.Bars > 60 ? "MMM d, HH:mm" : "HH:mm", CultureInfo.InvariantCulture);

    /// <summary>The next of 10, 20, 50, 100, 200 …</summary>
    private static double Nice(long most)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(10, most))));
        return s_nice.Select(n => n * power).First(n => n >= most);
    }

    private static Markup Raw(StringBuilder shapes) => new(shapes.ToString());
}
