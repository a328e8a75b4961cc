using Microsoft.AspNetCore.Routing;

namespace Keelback.Ops;

/// <summary>Where the pages were mapped: mapping them again at the same place is adding to what was said of them.</summary>
internal sealed class OpsMap
{
    private readonly Dictionary<string, RouteGroupBuilder> _groups = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<string> Roots => _groups.Keys;

    public RouteGroupBuilder Once(string root, Func<RouteGroupBuilder> map)
    {
        if (!_groups.TryGetValue(root, out var group)) _groups[root] = group = map();
        return group;
    }
}
