using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>One run of a graph, or several that are drawn as one.</summary>
internal sealed class GraphBox(IReadOnlyList<JobGraphNode> nodes)
{
    public IReadOnlyList<JobGraphNode> Nodes { get; } = nodes;

    public string Kind => Nodes[0].Kind;

    /// <summary>Its column, from the left.</summary>
    public int Layer { get; set; }

    /// <summary>Its place in the column, from the top.</summary>
    public int Row { get; set; }
}

/// <summary>How one box leads to another; <see cref="Replacement"/>: it became that.</summary>
internal readonly record struct GraphLink(GraphBox Up, GraphBox Down, JobEdgeRule Rule, bool Replacement);

/// <summary>
/// Puts a graph in columns, each run after the last one that it waits for. Members of a group that differ in nothing but their states are one
/// box; where that is not enough, runs of one kind in one column, and at last runs of one kind. The run that is looked at stays by itself.
/// </summary>
internal sealed record GraphLayout(IReadOnlyList<IReadOnlyList<GraphBox>> Columns, IReadOnlyList<GraphLink> Links)
{
    private const int MostAlike = 12;
    private const int MostBoxes = 120;
    private const int MostColumns = 40;

    public static GraphLayout Of(JobGraph graph, long current)
    {
        var arrows = Arrows(graph);
        var layers = Layers(graph.Nodes.Select(n => n.Id), arrows.Select(a => (a.Up, a.Down)));
        var columns = layers.Values.Max() + 1;

        var (ups, downs) = (Neighbours(arrows, a => a.Down, a => a.Up), Neighbours(arrows, a => a.Up, a => a.Down));
        string Alike(JobGraphNode n) => $"{n.Kind}|{ups.GetValueOrDefault(n.Id)}|{downs.GetValueOrDefault(n.Id)}";
        var boxes = Boxes(graph, current, Alike, MostAlike);
        if (boxes.Count > MostBoxes) boxes = Boxes(graph, current, n => $"{n.Kind}|{Text(layers[n.Id])}", 1);
        if (boxes.Count > MostBoxes || columns > MostColumns) boxes = Boxes(graph, current, n => $"{n.Kind}|{Text(n.Parent ?? 0)}", 1);

        var of = boxes.SelectMany(b => b.Nodes.Select(n => (n.Id, Box: b))).ToDictionary(n => n.Id, n => n.Box);
        var links = arrows.Select(a => new GraphLink(of[a.Up], of[a.Down], a.Rule, a.Replacement)).Where(l => l.Up != l.Down).Distinct().ToList();
        foreach (var (box, layer) in Layers(boxes, links.Select(l => (l.Up, l.Down)))) box.Layer = layer;
        return new(Ordered(boxes, links), links);
    }

    /// <summary>The edges, and what the engine knows beside them: a job that a graph stands for leads to that graph, whose last run leads on.</summary>
    private static List<(long Up, long Down, JobEdgeRule Rule, bool Replacement)> Arrows(JobGraph graph)
    {
        var nodes = graph.Nodes.ToDictionary(n => n.Id);
        var edges = graph.Edges.Where(e => e.Rule != JobEdgeRule.Replacement).ToList(); // those lead back
        var arrows = edges.Select(e => (Up: Last(e.Up), e.Down, e.Rule, Replacement: false)).ToList();
        var hasSibling = edges.Where(e => nodes[e.Up].Parent is { } parent && parent == nodes[e.Down].Parent).Select(e => e.Down).ToHashSet();
        foreach (var node in graph.Nodes)
            if (node.Parent is { } parent && nodes.TryGetValue(parent, out var replaced) && replaced.ReplacedBy is not null && !hasSibling.Contains(node.Id))
                arrows.Add((parent, node.Id, JobEdgeRule.Success, true));

        return arrows;

        long Last(long id)
        {
            for (var steps = 0; steps < nodes.Count && nodes[id].ReplacedBy is { } next && nodes.ContainsKey(next); steps++) id = next;
            return id;
        }
    }

    private static Dictionary<long, string> Neighbours(
        List<(long Up, long Down, JobEdgeRule Rule, bool Replacement)> arrows,
        Func<(long Up, long Down, JobEdgeRule, bool), long> of, Func<(long Up, long Down, JobEdgeRule, bool), long> other) =>
        arrows.GroupBy(a => of(a)).ToDictionary(g => g.Key, g => string.Join(',', g.Select(a => other(a)).Order()));

    private static List<GraphBox> Boxes(JobGraph graph, long current, Func<JobGraphNode, string> alike, int most)
    {
        var boxes = new List<GraphBox>();
        foreach (var group in graph.Nodes.GroupBy(n => n.Id == current ? "" : alike(n)))
        {
            if (group.Count() > most) boxes.Add(new([.. group]));
            else boxes.AddRange(group.Select(n => new GraphBox([n])));
        }

        return boxes;
    }

    private static Dictionary<T, int> Layers<T>(IEnumerable<T> items, IEnumerable<(T Up, T Down)> links) where T : notnull
    {
        var layers = items.ToDictionary(i => i, _ => 0);
        var pending = layers.Keys.ToDictionary(i => i, _ => 0);
        var downs = links.ToLookup(l => l.Up, l => l.Down);
        foreach (var down in downs.SelectMany(d => d)) pending[down]++;

        var open = new Queue<T>(layers.Keys.Where(i => pending[i] == 0));
        while (open.TryDequeue(out var up))
        {
            foreach (var down in downs[up])
            {
                layers[down] = Math.Max(layers[down], layers[up] + 1);
                if (--pending[down] == 0) open.Enqueue(down);
            }
        }

        return layers;
    }

    /// <summary>Within a column, each box near the middle of those that it hangs on: a few sweeps both ways untangle most crossings.</summary>
    private static List<List<GraphBox>> Ordered(List<GraphBox> boxes, List<GraphLink> links)
    {
        var columns = boxes.GroupBy(b => b.Layer).OrderBy(g => g.Key).Select(g => g.ToList()).ToList();
        var (ups, downs) = (links.ToLookup(l => l.Down, l => l.Up), links.ToLookup(l => l.Up, l => l.Down));
        foreach (var column in columns) Number(column);

        for (var sweep = 0; sweep < 4; sweep++)
        {
            var forth = sweep % 2 == 0;
            foreach (var column in forth ? columns : Enumerable.Reverse(columns))
            {
                var sorted = column.OrderBy(b => Middle(forth ? ups[b] : downs[b]) ?? b.Row).ToList();
                column.Clear();
                column.AddRange(sorted);
                Number(column);
            }
        }

        return columns;

        static double? Middle(IEnumerable<GraphBox> neighbours) => neighbours.Any() ? neighbours.Average(n => n.Row) : null;

        static void Number(List<GraphBox> column)
        {
            for (var i = 0; i < column.Count; i++) column[i].Row = i;
        }
    }

    private static string Text(long n) => n.ToString(CultureInfo.InvariantCulture);
}
