using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What happened in some time: sums of rows of <c>keelback.rollup</c>.</summary>
internal sealed class Figures
{
    /// <summary>Elements of a distribution: the first counts what took under 1 ms, each next one what took under twice as much, the last all others (over 70 minutes).</summary>
    public const int Steps = 24;

    public long Enqueued { get; set; }

    public long Succeeded { get; set; }

    public long Failed { get; set; }

    public long Cancelled { get; set; }

    public long Other { get; set; }

    public long Retries { get; set; }

    public long Ended => Succeeded + Failed + Cancelled + Other;

    /// <summary>Milliseconds of all last attempts together.</summary>
    public long TookMs { get; set; }

    /// <summary>Milliseconds of all waits together.</summary>
    public long WaitedMs { get; set; }

    /// <summary>Runs by the duration of their last attempt.</summary>
    public long[] Took { get; } = new long[Steps];

    /// <summary>Runs that needed one attempt, by the wait before it.</summary>
    public long[] Waited { get; } = new long[Steps];

    public void Add(Figures other)
    {
        Enqueued += other.Enqueued;
        Succeeded += other.Succeeded;
        Failed += other.Failed;
        Cancelled += other.Cancelled;
        Other += other.Other;
        Retries += other.Retries;
        TookMs += other.TookMs;
        WaitedMs += other.WaitedMs;
        for (var i = 0; i < Steps; i++)
        {
            Took[i] += other.Took[i];
            Waited[i] += other.Waited[i];
        }
    }

    /// <summary>Which element counts a duration.</summary>
    public static int Step(TimeSpan time)
    {
        var ms = time.TotalMilliseconds;
        return ms < 1 ? 0 : Math.Min(Steps - 1, (int)Math.Floor(Math.Log2(ms)) + 1);
    }

    /// <summary>The upper bound of an element in milliseconds.</summary>
    public static double Bound(int step) => step >= Steps - 1 ? double.PositiveInfinity : Math.Pow(2, step);

    /// <summary>A quantile in milliseconds, even within its element; null when nothing was counted. Within a factor of 2 of the truth.</summary>
    public static double? Quantile(long[] distribution, double quantile)
    {
        var total = distribution.Sum();
        if (total == 0) return null;

        var rank = quantile * total;
        for (var i = 0; i < Steps; i++)
        {
            if (rank > distribution[i] || distribution[i] == 0)
            {
                rank -= distribution[i];
                continue;
            }

            var (low, high) = (i == 0 ? 0 : Math.Pow(2, i - 1), Math.Pow(2, i));
            return low + (high - low) * rank / distribution[i];
        }

        return Math.Pow(2, Steps - 1);
    }
}

/// <summary>One row of <c>keelback.rollup</c>.</summary>
internal sealed record FigureRow(DateTimeOffset At, short Queue, string Kind, Figures Sums);

/// <summary>The stretch of time that a chart shows: a name as in the address (<c>1h</c>), what one bar stands for, and how many there are.</summary>
internal sealed record FigureRange(string Name, string Words, TimeSpan Step, int Bars)
{
    public static readonly FigureRange Hour = new("1h", "the last hour", TimeSpan.FromMinutes(1), 60);

    public static readonly IReadOnlyList<FigureRange> All =
    [
        Hour, new("24h", "the last 24 hours", TimeSpan.FromHours(1), 24), new("7d", "the last 7 days", TimeSpan.FromHours(1), 168),
    ];

    public bool PerMinute => Step < TimeSpan.FromHours(1);

    /// <summary>Where the bar begins that a point in time belongs to.</summary>
    public DateTimeOffset Floor(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % Step.Ticks, TimeSpan.Zero);

    private const string Columns =
        "select at, queue, kind, enqueued, succeeded, failed, cancelled, other, retries, took, waited, took_ms, waited_ms from keelback.rollup";

    /// <summary>From <paramref name="from"/> on, where that is later than the range's beginning.</summary>
    public static NpgsqlBatchCommand Read(FigureRange range, short[] queues, DateTimeOffset? from) => Statement.Of(
        Columns + " where step = $1 and at > keelback.clock() - $2 and at >= $4 and queue = any($3)",
        Statement.P((short)(range.PerMinute ? 0 : 1)), Statement.P(range.Step * range.Bars), Statement.P(queues), Statement.P((from ?? DateTimeOffset.UnixEpoch).UtcDateTime));

    /// <summary>The sums of all time.</summary>
    public static NpgsqlBatchCommand ReadTotals(short[] queues) =>
        Statement.Of(Columns + " where step = 2 and queue = any($1)", Statement.P(queues));

    public static async Task<List<FigureRow>> ReadAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var rows = new List<FigureRow>();
        while (await row.ReadAsync(ct))
        {
            var sums = new Figures
            {
                Enqueued = row.GetInt64(3),
                Succeeded = row.GetInt64(4),
                Failed = row.GetInt64(5),
                Cancelled = row.GetInt64(6),
                Other = row.GetInt64(7),
                Retries = row.GetInt64(8),
                TookMs = row.GetInt64(11),
                WaitedMs = row.GetInt64(12),
            };
            Fill(sums.Took, row.GetFieldValue<long[]>(9));
            Fill(sums.Waited, row.GetFieldValue<long[]>(10));
            rows.Add(new(row.GetFieldValue<DateTimeOffset>(0), row.GetInt16(1), row.GetString(2), sums));
        }

        return rows;
    }

    private static void Fill(long[] target, long[] source)
    {
        for (var i = 0; i < target.Length && i < source.Length; i++) target[i] = source[i];
    }
}
