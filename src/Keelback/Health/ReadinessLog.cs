using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Keelback;

/// <summary>One line when readiness changes, instead of one per probe.</summary>
internal sealed class ReadinessLog(ILogger<ReadinessLog> log)
{
    private readonly Lock _gate = new();
    private string? _last;

    public void Note(HealthReport report)
    {
        var failing = report.Entries.Where(e => e.Value.Status == HealthStatus.Unhealthy).ToList();
        var now = string.Join(", ", failing.Select(e => e.Key));
        lock (_gate)
        {
            if (now == _last) return;
            _last = now;
        }

        if (failing.Count == 0) Log.Ready(log);
        else Log.NotReady(log, now, failing.Select(e => e.Value.Exception).FirstOrDefault(e => e is not null));
    }
}
