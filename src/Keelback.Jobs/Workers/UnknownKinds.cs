using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Says once a minute which kinds this process was given and does not know.</summary>
internal sealed class UnknownKinds(JobKinds kinds, TimeProvider clock, ILogger<UnknownKinds> log)
{
    private readonly Dictionary<string, long> _said = new(StringComparer.Ordinal);

    public void Report(IEnumerable<string> names)
    {
        foreach (var name in names)
            if (IsDue(name)) Log.UnknownKind(log, JobErrors.UnknownKind(name, kinds.Nearest(name)));
    }

    /// <summary>A known kind whose payload is of a version that is not.</summary>
    public void ReportNewer(JobKind kind, int version)
    {
        if (IsDue($"{kind.Name}@{version}")) Log.UnknownKind(log, JobErrors.NewerPayload(kind.Name, version, kind.Defaults.Version));
    }

    private bool IsDue(string name)
    {
        lock (_said)
        {
            if (_said.TryGetValue(name, out var at) && clock.GetElapsedTime(at) < TimeSpan.FromMinutes(1)) return false;

            _said[name] = clock.GetTimestamp();
            return true;
        }
    }
}
