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
    private readonly Dictionary<(short Queue, short Priority), string> _served = [];
    private IReadOnlyDictionary<(short Queue, short Priority), double> _levels = new Dictionary<(short, short), double>();
    private IReadOnlyList<short> _queues = [];
    private short[] _slotted = [];
    private bool _shared;
    private int _turn;

    /// <summary>Those that have slots, and had none when they were last read.</summary>
    public IEnumerable<short> NewlySlotted(IEnumerable<QueueState> queues) =>
        queues.Where(q => q.Slots is not null && !q.IsPaused && !_slotted.Contains(q.Id)).Select(q => q.Id);

    /// <summary>What is read from now on: the queues that are not paused; one that has tenants is the lane in which they take turns.</summary>
    public void Set(IEnumerable<QueueState> queues)
    {
        var open = queues.Where(q => !q.IsPaused).ToList();
        _queues = [.. open.Select(q => q.HasTenants ? (short)-q.Id : q.Id)];
        _slotted = [.. open.Where(q => q.Slots is not null).Select(q => q.Id).Order()];
        _shared = _slotted.Length > 0 || open.Exists(q => q.HasTenants);
    }

    /// <summary>The lanes that are read.</summary>
    public IReadOnlyList<short> Queues => _queues;

    /// <summary>By how many levels of priority the lanes have aged; one that is missing has not.</summary>
    public void Age(IReadOnlyDictionary<(short Queue, short Priority), double> levels) => _levels = levels;

    /// <summary>Every lane: most urgent priority first, and within one the queues by turns.</summary>
    public ClaimRequest Request(int limit, bool full, WorkerIdentity worker, string app, string[] kinds)
    {
        var count = _queues.Count * Priorities;
        var (queues, priorities, marks) = (new short[count], new short[count], new long[count]);
        var first = _queues.Count == 0 ? 0 : _turn++ % _queues.Count;
        var order = Enumerable.Range(0, count).Select(i => (Queue: _queues[(first + i) % _queues.Count], Priority: (short)(i / _queues.Count)));
        if (_levels.Count > 0) order = order.OrderBy(lane => lane.Priority - _levels.GetValueOrDefault(lane));
        var i = 0;
        foreach (var lane in order)
        {
            (queues[i], priorities[i]) = lane;
            marks[i] = full ? long.MinValue : Of(Math.Abs(queues[i]), priorities[i]);
            i++;
        }

        return new(queues, priorities, marks, limit, worker, app, kinds)
        {
            IsShared = _shared,
            Slotted = _slotted,
            Tenants = _shared ? [.. queues.Zip(priorities, (q, p) => _served.GetValueOrDefault((q, p)))] : [],
        };
    }

    public void Saw(IEnumerable<SeenRow> taken)
    {
        foreach (var lane in taken.GroupBy(row => (Queue: Math.Abs(row.Queue), row.Priority)))
        {
            if (_queues.Contains((short)-lane.Key.Queue)) Served(((short)-lane.Key.Queue, lane.Key.Priority), lane);

            if (!_marks.TryGetValue(lane.Key, out var mark)) _marks[lane.Key] = mark = new();
            foreach (var row in lane.Where(row => row.Queue > 0))
            {
                if (row.Seq > mark.Seen) mark.Seen = row.Seq;
                if (row.Seq < 0) mark.HandedBack = true;
            }
        }
    }

    // The turns go upwards from the one served last, and on from the lowest, which is that of nobody's runs: who of these was served last is below it, if any is.
    private void Served((short, short) lane, IEnumerable<SeenRow> rows)
    {
        var last = _served.GetValueOrDefault(lane, "");
        var tenants = rows.Select(row => row.Tenant ?? "").ToList();
        var wrapped = tenants.Where(tenant => string.CompareOrdinal(tenant, last) <= 0).ToList();
        _served[lane] = (wrapped.Count > 0 ? wrapped : tenants).Max(StringComparer.Ordinal)!;
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
