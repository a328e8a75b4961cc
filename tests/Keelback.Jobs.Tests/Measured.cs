using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Keelback.Jobs.Tests;

/// <summary>What one host's counter counts, by the values of its tags; tests beside this one have counters of their own.</summary>
internal sealed class Measured : IDisposable
{
    private readonly MeterListener _listener = new();

    public Measured(Counter<long> counter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument, counter)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            for (var i = 0; i < value; i++) Tags.Enqueue(string.Join(' ', tags.ToArray().Select(tag => tag.Value)));
        });
        _listener.Start();
    }

    /// <summary>One for each that was counted, such as <c>note succeeded</c>.</summary>
    public ConcurrentQueue<string> Tags { get; } = new();

    public void Dispose() => _listener.Dispose();
}
