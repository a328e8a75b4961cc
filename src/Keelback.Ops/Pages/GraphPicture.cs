using System.Text;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Draws a graph as SVG, from left to right.</summary>
internal static class GraphPicture
{
    private const int Width = 196;
    private const int Height = 40;
    private const int GapX = 44;
    private const int GapY = 14;
    private const int Margin = 6;
    private const int MostListed = 50;

    public static Markup Render(JobGraph graph, long current, Place place)
    {
        var layout = GraphLayout.Of(graph, current);
        var rows = layout.Columns.Max(c => c.Count);
        var (width, height) = (layout.Columns.Count * (Width + GapX) - GapX + 2 * Margin, rows * (Height + GapY) - GapY + 2 * Margin);
        (int X, int Y) At(GraphBox box) =>
            (Margin + box.Layer * (Width + GapX), Margin + (int)((box.Row + (rows - layout.Columns[box.Layer].Count) / 2.0) * (Height + GapY)));

        var shapes = new StringBuilder();
        foreach (var link in layout.Links) shapes.Append(Line(At(link.Up), At(link.Down), Class(link)));
        foreach (var box in layout.Columns.SelectMany(c => c)) shapes.Append(box.Nodes is [var node] ? One(node, At(box), current, place) : Many(box, At(box)));

        var grouped = layout.Columns.SelectMany(c => c).Where(b => b.Nodes.Count > 1).SelectMany(b => b.Nodes).ToList();
        return Html.Of(
            $"""
            <div class="scroll graph" id="graph" tabindex="0"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" aria-label="Graph of {graph.Nodes.Count} runs">{new Markup(shapes.ToString())}</svg></div>
            <p class="soft keys">{Show.Count(graph.Nodes.Count)} runs: {Counts(graph.Nodes)}. {Html.Each(layout.Links.Select(Class).Distinct().Where(c => c.Length > 0), c => Html.Of($"""<span class="key {c}">{Words(c)}</span>"""))}</p>
            {Html.If(grouped.Count > 0, () => List(grouped, place))}
            """);
    }

    private static Markup Line((int X, int Y) up, (int X, int Y) down, string tone)
    {
        var (x1, y1, x2, y2) = (up.X + Width, up.Y + Height / 2, down.X, down.Y + Height / 2);
        return Html.Of($"""<path class="edge {tone}" d="M{x1} {y1}C{x1 + GapX / 2} {y1} {x2 - GapX / 2} {y2} {x2} {y2}"/>""");
    }

    private static Markup One(JobGraphNode node, (int X, int Y) at, long current, Place place)
    {
        var (x, y) = at;
        var more = (node.Id == current ? " here" : "") + (node.IsMember ? "" : " other");
        return Html.Of(
            $"""
            <a href="{place.Run(node.Id)}" class="box {Tone(node.State)}{more}"><title>{node.Kind}, run {Show.Id(node.Id)}: {Show.Word(node.State)}{(node.IsMember ? "" : ", of another graph")}</title><rect x="{x}" y="{y}" width="{Width}" height="{Height}" rx="6"/>
            <text x="{x + 10}" y="{y + 17}" class="name">{Short(Name(node.Kind), 26)}</text><text x="{x + 10}" y="{y + 32}" class="what">{Show.Word(node.State)}{(node.ReplacedBy is null ? "" : ", became a graph")}</text></a>
            """);
    }

    private static Markup Many(GraphBox box, (int X, int Y) at)
    {
        var (x, y) = at;
        var bars = new StringBuilder();
        var from = (double)x + 10;
        foreach (var tone in box.Nodes.GroupBy(n => Tone(n.State)).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var part = (Width - 20.0) * tone.Count() / box.Nodes.Count;
            bars.Append(Html.Of($"""<rect class="part {tone.Key}" x="{from:0.##}" y="{y + Height - 5}" width="{part:0.##}" height="3"/>"""));
            from += part;
        }

        return Html.Of(
            $"""
            <g class="box many {Tone(box.Nodes.Select(n => n.State).MaxBy(Weight))}"><title>{Show.Count(box.Nodes.Count)} runs of {box.Kind}: {Counts(box.Nodes)}</title><rect x="{x + 4}" y="{y + 4}" width="{Width}" height="{Height}" rx="6"/><rect x="{x}" y="{y}" width="{Width}" height="{Height}" rx="6"/>
            <text x="{x + 10}" y="{y + 16}" class="name">{Short($"{Show.Count(box.Nodes.Count)} × {Name(box.Kind)}", 26)}</text><text x="{x + 10}" y="{y + 30}" class="what">{Short(Counts(box.Nodes), 34)}</text>{new Markup(bars.ToString())}</g>
            """);
    }

    /// <summary>The way into a box of many: what did not succeed first.</summary>
    private static Markup List(List<JobGraphNode> nodes, Place place) => Html.Of(
        $"""
        <details id="members"><summary>Runs in the boxes of several{(nodes.Count > MostListed ? $", the first {MostListed} of {Show.Count(nodes.Count)}" : "")}</summary>
        <div class="scroll" id="memberlist" tabindex="0"><table><thead><tr><th>Run</th><th>State</th><th>Kind</th><th class="n">Attempt</th></tr></thead>
        <tbody>{Html.Each(nodes.OrderByDescending(n => Weight(n.State)).ThenBy(n => n.Id).Take(MostListed), n => Html.Of(
            $"""
            <tr><td><a class="id" href="{place.Run(n.Id)}">{Show.Id(n.Id)}</a></td><td>{Show.State(n.State)}</td><td>{n.Kind}</td><td class="n">{n.Attempt}</td></tr>

            """))}</tbody></table></div></details>
        """);

    private static string Counts(IEnumerable<JobGraphNode> nodes) =>
        string.Join(", ", nodes.GroupBy(n => n.State).OrderByDescending(g => Weight(g.Key)).ThenBy(g => g.Key).Select(g => $"{Show.Count(g.Count())} {Show.Word(g.Key)}"));

    private static string Class(GraphLink link) => link switch
    {
        { Replacement: true } => "became",
        { Rule: JobEdgeRule.Success } => "",
        { Rule: JobEdgeRule.End } => "end",
        _ => "failure",
    };

    private static string Words(string tone) => tone switch
    {
        "became" => "became this graph",
        "end" => "however it ends",
        _ => "only if it fails",
    };

    private static string Name(string kind) => kind switch
    {
        "keelback.gather" => "gather results",
        "keelback.barrier" => "wait for all",
        "keelback.map" => "map",
        "keelback.forward" => "hand on",
        _ => kind,
    };

    private static string Tone(JobRunState state) => state switch
    {
        JobRunState.Succeeded => "good",
        JobRunState.Failed or JobRunState.Quarantined or JobRunState.UpstreamFailed => "bad",
        JobRunState.Running => "live",
        < JobRunState.Succeeded => "wait",
        _ => "off",
    };

    private static int Weight(JobRunState state) => state switch
    {
        JobRunState.UpstreamFailed => 4,
        JobRunState.Succeeded => 0,
        _ => Tone(state) switch { "bad" => 5, "live" => 3, "wait" => 2, _ => 1 },
    };

    private static string Short(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";
}
