using System.Globalization;
using System.Text;

namespace Keelback.Ops;

/// <summary>Prometheus' text format 0.0.4.</summary>
/// <remarks>https://prometheus.io/docs/instrumenting/exposition_formats/: all samples of a metric in one group, label values with \, " and line feeds escaped.</remarks>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a metric's group. <paramref name="type"/>: counter, gauge or histogram.</summary>
    public void Metric(string name, string type, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name);
        for (var i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            foreach (var letter in labels[i].Value)
            {
                _ = letter switch
                {
                    '\\' => _text.Append("\\\\"),
                    '"' => _text.Append("\\\""),
                    '\n' => _text.Append("\\n"),
                    _ => _text.Append(letter),
                };
            }

            _text.Append('"');
            if (i == labels.Length - 1) _text.Append('}');
        }

        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>A distribution of milliseconds, as seconds.</summary>
    public void Histogram(string name, long[] counts, long sumMs, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        (string, string)[] withBound = [.. labels, default];
        var below = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            below += counts[i];
            withBound[^1] = ("le", Number(Figures.Bound(i) / 1000));
            Sample(name + "_bucket", below, withBound);
        }

        Sample(name + "_sum", sumMs / 1000.0, labels);
        Sample(name + "_count", below, labels);
    }

    public override string ToString() => _text.ToString();

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
