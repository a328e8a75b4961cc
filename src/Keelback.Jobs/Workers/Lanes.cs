using Keelback.Postgres;

namespace Keelback.Jobs;

/// <summary>The queues and priorities that a worker reads, each with the number below which it has taken everything.</summary>
/// <remarks>
/// A mark follows 100 ms behind: a transaction that took its number early and committed late is usually still above it.
/// What is not is found by the full scan, at least once a second, and so is what the sweep put before all others. Without marks a claim would walk over every dead row that
/// a held snapshot keeps from being vacuumed.
/// </remarks>
internal sealed class Lanes(TimeProvider clock)
{
    private const int Priorities = 10;
    private static readonly TimeSpan s_lag = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<(short Queue, short Priority), Mark> _marks = [];
    private IReadOnlyList<short> _queues = [];
    private int _turn;

    public void Set(IReadOnlyList<short> queues) => _queues = queues;

    /// <summary>Every lane: most urgent priority first, and within one the queues by turns.</summary>
    public ClaimRequest Request(int limit, bool full, WorkerIdentity worker, string[] kinds)
    {
        var count = _queues.Count * Priorities;
        var (queues, priorities, marks) = (new short[count], new short[count], new long[count]);
        var first = _queues.Count == 0 ? 0 : _turn++ % _queues.Count;
        for (var i = 0; i < count; i++)
        {
            priorities[i] = (short)(i / _queues.Count);
            queues[i] = _queues[(first + i) % _queues.Count];
            marks[i] = full ? long.MinValue : Of(queues[i], priorities[i]);
        }

        return new(queues, priorities, marks, limit, worker, kinds);
    }

    public void Saw(IEnumerable<(short Queue, short Priority, long Seq)> taken)
    {
        foreach (var (queue, priority, seq) in taken)
        {
            if (!_marks.TryGetValue((queue, priority), out var mark)) _marks[(queue, priority)] = mark = new();
            if (seq > mark.Seen) mark.Seen = seq;
            if (seq < 0) mark.HandedBack = true;
        }
    }

    private long Of(short queue, short priority)
    {
        if (!_marks.TryGetValue((queue, priority), out var mark)) return 0;

        if (mark.HandedBack)
        {
            mark.HandedBack = false;
            return long.MinValue;
        }

        if (clock.GetElapsedTime(mark.At) >= s_lag)
            (mark.Usable, mark.Candidate, mark.At) = (mark.Candidate, mark.Seen, clock.GetTimestamp());
        return mark.Usable;
    }

    private sealed class Mark
    {
        public long Seen { get; set; }

        public long Candidate { get; set; }

        public long Usable { get; set; }

        public long At { get; set; }

        /// <summary>A run from below zero was found: there may be more.</summary>
        public bool HandedBack { get; set; }
    }
}
