using System.Text;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Draws a graph as SVG: layers from left to right, each run in the layer after the last one that it waits for.</summary>
internal static class GraphPicture
{
    /// <summary>Above it, runs of one kind in one layer are drawn as one box with their counts.</summary>
    public const int MostBoxes = 200;

    private const int Width = 168;
    private const int Height = 38;
    private const int GapX = 56;
    private const int GapY = 14;

    public static Markup Render(RunGraph graph, long current, Place place)
    {
        var layers = Layers(graph);
        var boxes = graph.Nodes.Count > MostBoxes ? Grouped(graph, layers) : Single(graph, layers);
        var links = Links(graph, boxes);
        var columns = Ordered(boxes, links);
        var rows = columns.Max(c => c.Count);
        var (width, height) = (columns.Count * (Width + GapX) - GapX + 4, rows * (Height + GapY) - GapY + 4);

        var at = new Dictionary<Box, (int X, int Y)>();
        for (var x = 0; x < columns.Count; x++)
            for (var y = 0; y < columns[x].Count; y++)
                at[columns[x][y]] = (2 + x * (Width + GapX), 2 + (int)((y + (rows - columns[x].Count) / 2.0) * (Height + GapY)));

        var shapes = new StringBuilder();
        foreach (var (up, down) in links)
        {
            var (from, to) = (at[up], at[down]);
            var (x1, y1, x2, y2) = (from.X + Width, from.Y + Height / 2, to.X, to.Y + Height / 2);
            shapes.Append(Html.Of($"""<path class="edge" d="M{x1} {y1}C{x1 + GapX / 2} {y1} {x2 - GapX / 2} {y2} {x2} {y2}"/>"""));
        }

        foreach (var box in boxes.Distinct()) shapes.Append(Draw(box, at[box], current, place));

        return Html.Of(
            $"""
            <div class="scroll graph" id="graph" tabindex="0"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" aria-label="Graph of {graph.Nodes.Count} runs">{new Markup(shapes.ToString())}</svg></div>
            <p class="soft">{graph.Nodes.Count}{(graph.Truncated ? " and more" : "")} runs, {graph.Edges.Count} edges{(graph.Nodes.Count > MostBoxes ? "; runs of one kind in one layer are one box" : "")}.</p>
            """);
    }

    private static Markup Draw(Box box, (int X, int Y) at, long current, Place place)
    {
        var (x, y) = at;
        if (box.Nodes is not [var node])
        {
            var states = box.Nodes.GroupBy(n => n.State).OrderBy(g => g.Key).Select(g => $"{Show.Count(g.Count())} {Show.Word(g.Key)}");
            var tone = Tone(box.Nodes.Select(n => n.State).MaxBy(Weight));
            return Html.Of(
                $"""
                <g class="box {tone} many"><title>{box.Kind}: {string.Join(", ", states)}</title><rect x="{x}" y="{y}" width="{Width}" height="{Height}" rx="6"/>
                <text x="{x + 10}" y="{y + 16}" class="name">{Short(box.Kind, 22)}</text><text x="{x + 10}" y="{y + 30}" class="what">{Short(string.Join(", ", states), 28)}</text></g>
                """);
        }

        var here = node.Id == current ? " here" : "";
        return Html.Of(
            $"""
            <a href="{place.Run(node.Id)}" class="box {Tone(node.State)}{here}"><title>{node.Kind}, run {Show.Id(node.Id)}: {Show.Word(node.State)}</title><rect x="{x}" y="{y}" width="{Width}" height="{Height}" rx="6"/>
            <text x="{x + 10}" y="{y + 16}" class="name">{Short(node.Kind, 22)}</text><text x="{x + 10}" y="{y + 30}" class="what">{Show.Word(node.State)}</text></a>
            """);
    }

    private static Dictionary<long, int> Layers(RunGraph graph)
    {
        var (layers, pending) = (graph.Nodes.ToDictionary(n => n.Id, _ => 0), graph.Nodes.ToDictionary(n => n.Id, _ => 0));
        var downs = graph.Edges.ToLookup(e => e.Up, e => e.Down);
        foreach (var edge in graph.Edges) pending[edge.Down]++;

        var open = new Queue<long>(graph.Nodes.Where(n => pending[n.Id] == 0).Select(n => n.Id));
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

    private static List<Box> Single(RunGraph graph, Dictionary<long, int> layers) =>
        [.. graph.Nodes.Select(n => new Box(layers[n.Id], n.Kind, [n]))];

    private static List<Box> Grouped(RunGraph graph, Dictionary<long, int> layers) =>
        [.. graph.Nodes.GroupBy(n => (Layer: layers[n.Id], n.Kind)).Select(g => new Box(g.Key.Layer, g.Key.Kind, [.. g]))];

    private static List<(Box Up, Box Down)> Links(RunGraph graph, List<Box> boxes)
    {
        var of = boxes.SelectMany(b => b.Nodes.Select(n => (n.Id, Box: b))).ToDictionary(n => n.Id, n => n.Box);
        return [.. graph.Edges.Select(e => (of[e.Up], of[e.Down])).Distinct()];
    }

    /// <summary>Within a layer, each box near the middle of those that it hangs on: a few sweeps both ways untangle most crossings.</summary>
    private static List<List<Box>> Ordered(List<Box> boxes, List<(Box Up, Box Down)> links)
    {
        var columns = boxes.GroupBy(b => b.Layer).OrderBy(g => g.Key).Select(g => g.ToList()).ToList();
        var (ups, downs) = (links.ToLookup(l => l.Down, l => l.Up), links.ToLookup(l => l.Up, l => l.Down));
        var place = new Dictionary<Box, int>();
        foreach (var column in columns) Number(column);

        for (var sweep = 0; sweep < 4; sweep++)
        {
            var forth = sweep % 2 == 0;
            foreach (var column in forth ? columns : Enumerable.Reverse(columns))
            {
                var sorted = column.OrderBy(b => Middle(forth ? ups[b] : downs[b]) ?? place[b]).ToList();
                column.Clear();
                column.AddRange(sorted);
                Number(column);
            }
        }

        return columns;

        double? Middle(IEnumerable<Box> neighbours) => neighbours.Any() ? neighbours.Average(n => place[n]) : null;

        void Number(List<Box> column)
        {
            for (var i = 0; i < column.Count; i++) place[column[i]] = i;
        }
    }

    private static string Tone(JobRunState state) => state switch
    {
        JobRunState.Succeeded => "good",
        JobRunState.Failed or JobRunState.Quarantined or JobRunState.UpstreamFailed => "bad",
        JobRunState.Running => "live",
        < JobRunState.Succeeded => "wait",
        _ => "off",
    };

    private static int Weight(JobRunState state) => Tone(state) switch { "bad" => 4, "live" => 3, "wait" => 2, "off" => 1, _ => 0 };

    private static string Short(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private sealed record Box(int Layer, string Kind, IReadOnlyList<GraphNode> Nodes);
}
