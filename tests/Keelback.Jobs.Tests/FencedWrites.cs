using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Counts what one host's metric counts; tests beside this one have counters of their own.</summary>
internal sealed class FencedWrites : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count;

    public FencedWrites(JobHost host, Action<long>? counted = null)
    {
        var counter = host.Services.GetRequiredService<JobTelemetry>().FencedWrites;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument, counter)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) =>
        {
            var count = Interlocked.Add(ref _count, value);
            counted?.Invoke(count);
        });
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
