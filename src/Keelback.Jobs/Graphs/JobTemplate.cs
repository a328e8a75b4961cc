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
        var writer = new Writer(item, shared);
        writer.Write(root);
        return new(writer.Nodes, writer.IndexOf(root));
    }

    /// <summary>The jobs for one item.</summary>
    /// <param name="kinds">What the kinds' names mean here.</param>
    /// <param name="item">The item's JSON.</param>
    /// <param name="shared">The map's own input, which holds the results that every item gets.</param>
    /// <param name="gate">Started only when this one has ended; null: at once.</param>
    /// <param name="delay">Before the first of them starts.</param>
    /// <exception cref="KeelbackException">KB1245.</exception>
    public Job Make(JobKinds kinds, JsonElement item, JsonElement shared, Job? gate, TimeSpan delay)
    {
        var made = new Job?[Nodes.Count];
        return Build(Root);

        Job Build(int index)
        {
            if (made[index] is { } known) return known;

            var node = Nodes[index];
            var kind = kinds.Find(node.Kind) ?? throw JobErrors.UnknownMappedKind(node.Kind, kinds.Nearest(node.Kind));
            var bindings = node.Bindings.Select(b => new JobBinding(b.Parameter, Build(b.Node), b.Rule)).ToList();
            var options = node.Options;
            if (bindings.Count == 0)
            {
                if (gate is not null) bindings.Add(new(null, gate, JobEdgeRule.End));
                if (delay > TimeSpan.Zero && options is not { Delay: not null } and not { At: not null }) options = new EnqueueOptions { Delay = delay }.Over(options);
            }

            return made[index] = new Job(new JobParts(kind, Payload(node, item, shared), bindings, options)
            {
                Callbacks = [.. node.Callbacks.Select(c => new JobCallback(c.Rule, _ => Build(c.Node)))],
            });
        }
    }

    private static ReadOnlyMemory<byte> Payload(TemplateNode node, JsonElement item, JsonElement shared)
    {
        var input = node.Input.DeepClone().AsObject();
        foreach (var parameter in node.Item) input[parameter] = JsonSerializer.SerializeToNode(item);
        foreach (var (parameter, name) in node.Shared) input[parameter] = JsonSerializer.SerializeToNode(shared.GetProperty(name));
        return JsonSerializer.SerializeToUtf8Bytes(input);
    }

    private sealed class Writer(Job item, List<JobBinding> shared)
    {
        private readonly Dictionary<Job, int> _index = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<Job, bool> _depends = new(ReferenceEqualityComparer.Instance);

        public List<TemplateNode> Nodes { get; } = [];

        public int IndexOf(Job job) => _index[job];

        // The root is the item's even when it takes nothing of it; so is what follows one of the item's jobs.
        public int Write(Job job)
        {
            if (_index.TryGetValue(job, out var known)) return known;
            if (job.Options?.Id is not null) throw JobErrors.BadMap("an id would make the runs of all items one. Leave it out.");
            if (job.Kind.Secrets.Count > 0) throw JobErrors.BadMap($"'{job.Kind.Name}' has the secret '{job.Kind.Secrets[0]}', which a map would store in the open. Enqueue the calls themselves, in a group.");
            if (job.Parts.Run is { } run) throw JobErrors.BadMap($"run {run} is enqueued already, and cannot be made for each item. Give it to a job as an argument.");

            var (bindings, items, given) = (new List<TemplateEdge>(), new List<string>(), new List<SharedArgument>());
            foreach (var (parameter, source, rule) in job.Bindings)
            {
                if (source == item && parameter is not null) items.Add(parameter);
                else if (source == item) continue;
                else if (DependsOnItem(source)) bindings.Add(new(parameter, Write(source), rule));
                else if (job.Kind == JobKind.Gather) bindings.Add(new(parameter, Write(source), rule));
                else given.AddRange(Share(parameter, source, rule));
            }

            if (items.Count > 0 && job.Kind == JobKind.Gather) throw JobErrors.BadMap("the item itself is no job that Job.All could wait for.");

            var index = _index[job] = Nodes.Count;
            var input = job.Payload.IsEmpty ? [] : JsonNode.Parse(job.Payload.Span)!.AsObject();
            if (job.Kind == JobKind.Gather && job.Bindings.Count == 0) input[JobBinding.Members] = new JsonArray();
            Nodes.Add(new(job.Kind.Name, input, job.Options, bindings, items, given, []));
            Nodes[index] = Nodes[index] with { Callbacks = [.. job.Parts.Callbacks.Select(c => new TemplateEdge(null, Write(c.Make(job)), c.Rule))] };
            return index;
        }

        private IEnumerable<SharedArgument> Share(string? parameter, Job source, JobEdgeRule rule)
        {
            if (parameter is null)
            {
                shared.Add(new(null, source, rule));
                return [];
            }

            var at = shared.FindIndex(b => b.Parameter is not null && b.Source == source && b.Rule == rule);
            if (at < 0)
            {
                at = shared.Count;
                shared.Add(new($"={at}", source, rule));
            }

            return [new(parameter, shared[at].Parameter!)];
        }

        private bool DependsOnItem(Job job)
        {
            if (job == item) return true;
            if (_index.ContainsKey(job)) return true;
            if (_depends.TryGetValue(job, out var known)) return known;
            return _depends[job] = job.Bindings.Any(b => DependsOnItem(b.Source));
        }
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
internal sealed record TemplateNode(
    string Kind, JsonObject Input, EnqueueOptions? Options, IReadOnlyList<TemplateEdge> Bindings, IReadOnlyList<string> Item,
    IReadOnlyList<SharedArgument> Shared, IReadOnlyList<TemplateEdge> Callbacks);

/// <summary>What leads to another job of a template.</summary>
internal sealed record TemplateEdge(string? Parameter, int Node, JobEdgeRule Rule);

/// <summary>A parameter that gets what the map's own input has under a name.</summary>
internal sealed record SharedArgument(string Parameter, string Name);
