using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>What a map makes of one item: the jobs that depend on it, written down as JSON, the last one first asked for.</summary>
/// <param name="Nodes">Each job after those that it takes results of; callbacks after what they follow.</param>
/// <param name="Root">Whose result is the item's.</param>
internal sealed record JobTemplate(IReadOnlyList<TemplateNode> Nodes, int Root)
{
    /// <summary>Describes what <paramref name="root"/> does with <paramref name="item"/>. What does not depend on the item runs once, before, and is handed back in <paramref name="shared"/>.</summary>
    /// <exception cref="KeelbackException">KB1246.</exception>
    public static JobTemplate Of(Job root, Job item, List<JobBinding> shared)
    {
        var writer = new TemplateWriter(root, item, shared);
        return new(writer.Write(), writer.IndexOf(root));
    }

    /// <summary>The jobs for one item.</summary>
    /// <param name="kinds">What the kinds' names mean here.</param>
    /// <param name="item">The item's JSON.</param>
    /// <param name="shared">The map's own input, which holds the results that every item gets.</param>
    /// <param name="once">By node, the jobs that all items have in common, made with the first of them.</param>
    /// <param name="queue">Where those run.</param>
    /// <param name="gate">Started only when this one has ended; null: at once.</param>
    /// <param name="delay">Before the first of them starts.</param>
    /// <exception cref="KeelbackException">KB1245. KB1276: nothing upgrades arguments that older code wrote down.</exception>
    public Job Make(JobKinds kinds, JsonElement item, JsonElement shared, Job?[] once, string queue, Job? gate, TimeSpan delay)
    {
        var made = new Job[Nodes.Count];
        for (var index = 0; index < made.Length; index++) made[index] = Nodes[index].IsOnce ? once[index] ??= Build(Nodes[index]) : Build(Nodes[index]);
        return made[Root];

        Job Build(TemplateNode node)
        {
            var kind = kinds.Find(node.Kind) ?? throw JobErrors.UnknownMappedKind(node.Kind, kinds.Nearest(node.Kind));
            var bindings = node.Bindings.Select(b => new JobBinding(b.Parameter, made[b.Node], b.Rule) { HoldsAll = b.HoldsAll }).ToList();
            var options = node.IsOnce ? new() { Queue = queue } : node.Options;
            if (bindings.Count == 0 && !node.IsOnce)
            {
                if (gate is not null) bindings.Add(new(null, gate, JobEdgeRule.End));
                if (delay > TimeSpan.Zero && options is not { Delay: not null } and not { At: not null }) options = new EnqueueOptions { Delay = delay }.Over(options);
            }

            return new Job(new JobParts(kind, Payload(node, kind, item, shared), bindings, options)
            {
                Callbacks = [.. node.Callbacks.Select(c => new JobCallback(c.Rule, _ => made[c.Node]))],
            });
        }
    }

    private static ReadOnlyMemory<byte> Payload(TemplateNode node, JobKind kind, JsonElement item, JsonElement shared)
    {
        var input = node.Input.DeepClone().AsObject();
        foreach (var parameter in node.Item) input[parameter] = JsonSerializer.SerializeToNode(item);
        foreach (var (parameter, name) in node.Shared) input[parameter] = JsonSerializer.SerializeToNode(shared.GetProperty(name));
        return JsonSerializer.SerializeToUtf8Bytes(PayloadReader.Current(kind, input, isWhole: node.Bindings.All(b => b.Parameter is null)));
    }
}

/// <summary>One job of a template.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Input">The arguments that were known.</param>
/// <param name="Options">What the call overrides of its kind's defaults.</param>
/// <param name="Bindings">The jobs of the template that come first.</param>
/// <param name="Item">The parameters that get the item.</param>
/// <param name="Shared">The parameters that get a result which all items share.</param>
/// <param name="Callbacks">The jobs of the template that follow it.</param>
/// <param name="IsOnce">All items have it in common.</param>
internal sealed record TemplateNode(
    string Kind, JsonObject Input, EnqueueOptions? Options, IReadOnlyList<TemplateEdge> Bindings, IReadOnlyList<string> Item,
    IReadOnlyList<SharedArgument> Shared, IReadOnlyList<TemplateEdge> Callbacks, bool IsOnce = false);

/// <summary>What leads to another job of a template.</summary>
internal sealed record TemplateEdge(string? Parameter, int Node, JobEdgeRule Rule, bool HoldsAll = false);

/// <summary>A parameter that gets what the map's own input has under a name.</summary>
internal sealed record SharedArgument(string Parameter, string Name);
