using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Says once a minute which kinds this process was given and does not know.</summary>
internal sealed class UnknownKinds(JobKinds kinds, TimeProvider clock, ILogger<UnknownKinds> log)
{
    private readonly Dictionary<string, long> _said = new(StringComparer.Ordinal);

    public void Report(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (_said.TryGetValue(name, out var at) && clock.GetElapsedTime(at) < TimeSpan.FromMinutes(1)) continue;

            _said[name] = clock.GetTimestamp();
            Log.UnknownKind(log, JobErrors.UnknownKind(name, kinds.Nearest(name)));
        }
    }
}
