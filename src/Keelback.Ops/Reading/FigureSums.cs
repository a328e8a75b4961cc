namespace Keelback.Ops;

/// <summary>What happened to the runs of one kind in one queue.</summary>
internal sealed record KindFigures(short Queue, string Kind, Figures Sums);

/// <summary>A range's rows, added up as the pages show them: by bar, and by queue and kind.</summary>
internal sealed class FigureSums
{
    private readonly Dictionary<DateTimeOffset, Figures> _bars = [];
    private readonly Dictionary<(short Queue, string Kind), KindFigures> _kinds = [];

    public IReadOnlyDictionary<DateTimeOffset, Figures> Bars => _bars;

    public IReadOnlyCollection<KindFigures> Kinds => _kinds.Values;

    public FigureSums Add(FigureSums other)
    {
        foreach (var (at, sums) in other._bars) Bar(at).Add(sums);
        foreach (var kind in other._kinds.Values) Kind(kind.Queue, kind.Kind).Add(kind.Sums);
        return this;
    }

    public FigureSums Add(IEnumerable<FigureRow> rows)
    {
        foreach (var row in rows)
        {
            Bar(row.At).Add(row.Sums);
            Kind(row.Queue, row.Kind).Add(row.Sums);
        }

        return this;
    }

    private Figures Bar(DateTimeOffset at)
    {
        if (!_bars.TryGetValue(at, out var sums)) _bars[at] = sums = new();
        return sums;
    }

    private Figures Kind(short queue, string kind)
    {
        if (!_kinds.TryGetValue((queue, kind), out var sums)) _kinds[(queue, kind)] = sums = new(queue, kind, new());
        return sums.Sums;
    }
}
