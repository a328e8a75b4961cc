using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>What happens to jobs in this process, one after the other, each after it was written: a singleton service.</summary>
/// <remarks>
/// Subscribers run one at a time and beside the work, which does not wait for them. A process that dies forgets what it had not told: what must
/// not be lost is a job, or a callback of a graph. What ends a run elsewhere is told elsewhere.
/// </remarks>
public sealed class JobEvents : IAsyncDisposable
{
    private readonly Channel<JobEvent> _events = Channel.CreateUnbounded<JobEvent>(new() { SingleReader = true });
    private readonly ILogger<JobEvents> _log;
    private readonly Lock _gate = new();
    private ImmutableArray<Action<JobEvent>> _handlers = [];
    private Task? _telling;

    internal JobEvents(ILogger<JobEvents> log) => _log = log;

    /// <summary>Whether anybody listens; without listeners no event is made.</summary>
    internal bool AreWanted => !_handlers.IsEmpty;

    /// <summary>Calls <paramref name="handler"/> for every event of the type and of those that derive from it, until disposed: <c>Subscribe&lt;JobEvent&gt;</c> gets all.</summary>
    public IDisposable Subscribe<TEvent>(Action<TEvent> handler)
        where TEvent : JobEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        void Handle(JobEvent e)
        {
            if (e is TEvent wanted) handler(wanted);
        }

        Action<JobEvent> added = Handle;
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

    /// <summary>Tells what is still to be told, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        if (_telling is not null) await _telling;
    }

    internal void Raise(JobEvent e) => _events.Writer.TryWrite(e);

    private async Task TellAsync()
    {
        await foreach (var e in _events.Reader.ReadAllAsync())
        {
            foreach (var handler in _handlers)
            {
                try
                {
                    handler(e);
                }
                catch (Exception failure)
                {
                    Log.SubscriberFailed(_log, e.GetType().Name, failure);
                }
            }
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
