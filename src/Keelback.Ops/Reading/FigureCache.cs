using System.Collections.Concurrent;

namespace Keelback.Ops;

/// <summary>The sums of a range's bars before a time.</summary>
internal sealed record KeptFigures(DateTimeOffset UpTo, FigureSums Sums, long ReadAt);

/// <summary>
/// Keeps what is over for a minute: a week of 300 kinds is 50,000 rows, and pages look every 2 s. The last three bars, where the agent still
/// counts, are read each time; what it counts later than that shows a minute later.
/// </summary>
internal sealed class FigureCache(TimeProvider clock)
{
    private const int Young = 2; // bars, beside the one that has begun
    private static readonly TimeSpan s_age = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, KeptFigures> _kept = new();

    /// <summary>Null: the whole range is to be read.</summary>
    public KeptFigures? Find(FigureRange range) => _kept.TryGetValue(range.Name, out var kept) && clock.GetElapsedTime(kept.ReadAt) < s_age ? kept : null;

    /// <summary>The sums of what was kept, and of the rows from there on.</summary>
    public FigureSums With(FigureRange range, KeptFigures? kept, IReadOnlyList<FigureRow> rows, DateTimeOffset now)
    {
        if (kept is null)
        {
            var upTo = range.Floor(now) - Young * range.Step;
            _kept[range.Name] = kept = new(upTo, new FigureSums().Add(rows.Where(r => r.At < upTo)), clock.GetTimestamp());
        }

        return new FigureSums().Add(kept.Sums).Add(rows.Where(r => r.At >= kept.UpTo));
    }
}
