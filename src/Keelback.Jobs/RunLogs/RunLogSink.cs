using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Where lines wait to be written, and whose a line is: that of the attempt in whose flow it was logged.</summary>
internal sealed class RunLogSink(TimeProvider clock)
{
    // A database that is away must not fill the memory.
    private const int Most = 20_000;

    private readonly AsyncLocal<RunLogBuffer?> _current = new();
    private readonly ConcurrentQueue<PendingLine> _lines = new();
    private long _dropped;

    public RunLogBuffer? Current => _current.Value;

    public bool IsEmpty => _lines.IsEmpty;

    /// <summary>From here to the end of the calling method, what it calls included.</summary>
    public RunLogBuffer Begin(Claim claim, int mostLines) => _current.Value = new(this, claim, mostLines);

    public void Write(Claim claim, int n, LogLevel level, string category, string message)
    {
        if (_lines.Count >= Most) Interlocked.Increment(ref _dropped);
        else _lines.Enqueue(new(claim.RunId, (short)claim.Attempt, n, clock.GetUtcNow().UtcDateTime, (short)level, category, message));
    }

    /// <summary>Takes up to so many.</summary>
    public IReadOnlyList<PendingLine> Take(int most)
    {
        var taken = new List<PendingLine>();
        while (taken.Count < most && _lines.TryDequeue(out var line)) taken.Add(line);
        return taken;
    }

    /// <summary>Lines that found no place since it was last asked.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);
}

/// <summary>A row-to-be of keelback.log.</summary>
internal readonly record struct PendingLine(long RunId, short Attempt, int N, DateTime At, short Level, string Category, string Message);
