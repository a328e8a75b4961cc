using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>What happens to jobs in this process, one after the other, each after it was written: a singleton service.</summary>
/// <remarks>
/// Subscribers run one at a time on a thread of the pool and beside the work, which does not wait for them: one that blocks, or whose task takes its
/// time, holds up the others, and work that takes time belongs elsewhere. What one throws is logged. Up to 10,000 events wait for them; what comes while so many wait is dropped, with a warning when
/// that begins and another, which counts, when it is over. A process that dies forgets what it had not told: what must not be lost is a job, or a
/// callback of a graph. What ends a run elsewhere is told elsewhere. Not told are rows of a transaction on a context without Keelback, whose commit nobody
/// sees; a run whose unique key another one took; and one that a claim found to be expired.
/// </remarks>
public sealed class JobEvents : IAsyncDisposable
{
    /// <summary>Events that wait for the subscribers at most.</summary>
    internal const int Capacity = 10_000;

    private const int EndsAtOnce = 1000;

    /// <summary>How long the end waits for them.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Channel<JobEvent> _events = Channel.CreateBounded<JobEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Func<long[], Task<List<JobRunEvent>>> _endsOf;
    private readonly TimeProvider _clock;
    private readonly ILogger<JobEvents> _log;
    private readonly Lock _gate = new();
    private ImmutableArray<Func<JobEvent, Task>> _handlers = [];
    private Task? _telling;
    private long _dropped;
    private volatile bool _isOver;

    /// <param name="endsOf">How runs have ended, by their ids.</param>
    /// <param name="clock">For the wait at the end.</param>
    /// <param name="log">Gets what goes wrong.</param>
    internal JobEvents(Func<long[], Task<List<JobRunEvent>>> endsOf, TimeProvider clock, ILogger<JobEvents> log) => (_endsOf, _clock, _log) = (endsOf, clock, log);

    /// <summary>Whether anybody listens; without listeners no event is made.</summary>
    internal bool AreWanted => !_handlers.IsEmpty;

    /// <summary>Calls <paramref name="handler"/> for every event of the type and of those that derive from it, until disposed: <c>Subscribe&lt;JobEvent&gt;</c> gets all.</summary>
    public IDisposable Subscribe<TEvent>(Action<TEvent> handler)
        where TEvent : JobEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe<TEvent>(e =>
        {
            handler(e);
            return Task.CompletedTask;
        });
    }

    /// <inheritdoc cref="Subscribe{TEvent}(Action{TEvent})"/>
    /// <remarks>Awaited: the next subscriber, and the next event, come after it. What it throws is logged.</remarks>
    public IDisposable Subscribe<TEvent>(Func<TEvent, Task> handler)
        where TEvent : JobEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        Task HandleAsync(JobEvent e) => e is TEvent wanted ? handler(wanted) : Task.CompletedTask;

        Func<JobEvent, Task> added = HandleAsync;
        lock (_gate)
        {
            _handlers = _handlers.Add(added);
            _telling ??= Task.Run(TellAsync);
        }

        return new Subscription(() =>
        {
            lock (_gate) _handlers = _handlers.Remove(added);
        });
    }

    /// <summary>Tells what is still to be told, for 5 s at most, and ends. What a subscriber that blocks has kept from being told is dropped, with a warning.</summary>
    public async ValueTask DisposeAsync()
    {
        _isOver = true;
        _events.Writer.TryComplete();
        if (_telling is null) return;

        try
        {
            await _telling.WaitAsync(Patience, _clock);
        }
        catch (TimeoutException)
        {
            Log.EventsNotTold(_log, _events.Reader.Count, Patience);
        }
    }

    internal void Raise(JobEvent e)
    {
        if (!_events.Writer.TryWrite(e) && !_isOver && Interlocked.Increment(ref _dropped) == 1) Log.EventsDropped(_log, Capacity);
    }

    /// <summary>As <see cref="Raise"/>, of runs of which only the ids are known here: what became of them is read beside the work.</summary>
    internal void RaiseEnds(IEnumerable<long> runs)
    {
        foreach (var page in runs.Chunk(EndsAtOnce)) Raise(new RunsEnded(page));
    }

    private async Task TellAsync()
    {
        await foreach (var e in _events.Reader.ReadAllAsync())
        {
            if (_events.Reader.Count < Capacity / 2 && Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) Log.EventsWereDropped(_log, dropped);
            if (e is not RunsEnded { Runs: var runs }) await TellAsync(e);
            else
                foreach (var end in await EndsAsync(runs)) await TellAsync(end);
        }
    }

    private async Task TellAsync(JobEvent e)
    {
        foreach (var handler in _handlers)
        {
            try
            {
                await handler(e);
            }
            catch (Exception failure)
            {
                Log.SubscriberFailed(_log, e.GetType().Name, failure);
            }
        }
    }

    private async Task<List<JobRunEvent>> EndsAsync(long[] runs)
    {
        try
        {
            return await _endsOf(runs);
        }
        catch (Exception failure)
        {
            Log.EndsNotTold(_log, runs.Length, failure);
            return [];
        }
    }

    private sealed record RunsEnded(long[] Runs) : JobEvent;

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
