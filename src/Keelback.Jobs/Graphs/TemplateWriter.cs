using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>Writes down what a map does with an item, and tells the jobs that are the item's from those that run once for all.</summary>
/// <remarks>
/// The item's are: the root; what takes the item, by however many steps; what follows one of the item's jobs, and owns one that does; and of the graph that
/// follows, what is not needed before. All others are handed back. Nothing here recurses: a chain may be longer than the thread's stack.
/// </remarks>
internal sealed class TemplateWriter
{
    private readonly Job _root;
    private readonly Job _item;
    private readonly List<JobBinding> _shared;
    private readonly List<TemplateNode> _nodes = [];
    private readonly Dictionary<Job, int> _index = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Job, List<(JobEdgeRule Rule, Job Next)>> _callbacks = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, int> _constants = [];
    private readonly HashSet<Job> _own;
    private readonly HashSet<Job> _before;

    /// <param name="root">Whose result is the item's.</param>
    /// <param name="item">Stands for the item.</param>
    /// <param name="shared">Gets the jobs that run once, before.</param>
    public TemplateWriter(Job root, Job item, List<JobBinding> shared)
    {
        (_root, _item, _shared) = (root, item, shared);
        _own = OwnJobs();
        _before = JobsBefore();
    }

    public int IndexOf(Job job) => _index[job];

    /// <exception cref="KeelbackException">KB1246.</exception>
    public List<TemplateNode> Write()
    {
        var open = new Stack<Job>([_root]);
        var callbacks = new Queue<Job>();
        while (open.TryPeek(out var job) || callbacks.TryDequeue(out job))
        {
            if (_index.ContainsKey(job))
            {
                open.TryPop(out _);
                continue;
            }

            if (open.Count == 0) open.Push(job);

            var missing = job.Bindings.Select(b => b.Source).Where(source => source != _item && !IsShared(source) && !_index.ContainsKey(source)).ToList();
            missing.ForEach(open.Push);
            if (missing.Count > 0) continue;

            open.Pop();
            Describe(job);
            foreach (var (_, next) in _callbacks[job]) callbacks.Enqueue(next);
        }

        foreach (var (job, index) in _index)
            _nodes[index] = _nodes[index] with { Callbacks = [.. _callbacks[job].Select(c => new TemplateEdge(null, _index[c.Next], c.Rule))] };
        return _nodes;
    }

    private bool IsShared(Job job) => !_own.Contains(job) && (_before.Contains(job) || job.Parts.Run is not null);

    private HashSet<Job> OwnJobs()
    {
        var dependents = new Dictionary<Job, List<Job>>(ReferenceEqualityComparer.Instance) { [_item] = [] };
        var open = new Stack<Job>([_root]);
        while (open.TryPop(out var job))
        {
            if (job == _item || _callbacks.ContainsKey(job)) continue;

            var callbacks = job.Parts.Callbacks.Select(c => (c.Rule, c.Make(job) ?? throw JobErrors.BadMap("a callback returned null in the place of a job."))).ToList();
            _callbacks[job] = callbacks;
            foreach (var source in job.Bindings.Select(b => b.Source)) Add(source, job);
            foreach (var (_, next) in callbacks)
            {
                Add(job, next); // what follows one of the item's jobs
                Add(next, job);
            }
        }

        return Closure([_item, _root], job => dependents.GetValueOrDefault(job) ?? []);

        void Add(Job job, Job dependent)
        {
            if (!dependents.TryGetValue(job, out var list)) dependents[job] = list = [];
            list.Add(dependent);
            open.Push(job);
        }
    }

    // What is needed whatever becomes of the item's jobs: not by what follows one of them alone.
    private HashSet<Job> JobsBefore() => Closure([_root], job =>
    {
        var last = job.Bindings.Count - 1;
        while (last >= 0 && !(job.Bindings[last].HoldsAll && _own.Contains(job.Bindings[last].Source))) last--;
        return job.Bindings.Skip(Math.Max(last, 0)).Select(b => b.Source);
    });

    private static HashSet<Job> Closure(IEnumerable<Job> start, Func<Job, IEnumerable<Job>> next)
    {
        var found = new HashSet<Job>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Job>(start);
        while (open.TryPop(out var job))
            if (found.Add(job))
                foreach (var other in next(job)) open.Push(other);
        return found;
    }

    // The root is the item's even when it takes nothing of it.
    private void Describe(Job job)
    {
        if (job.Options?.Id is not null) throw JobErrors.BadMap("an id would make the runs of all items one. Leave it out.");
        if (job.Options?.Unique is not null) throw JobErrors.BadMap("a unique key belongs to the job that is enqueued, and would make the runs of all items one. Leave it out.");
        if (job.Kind.Secrets.Count > 0) throw JobErrors.BadMap($"'{job.Kind.Name}' has the secret '{job.Kind.Secrets[0]}', which a map would store in the open. Enqueue the calls themselves, in a group.");
        if (job.Parts.Run is { } run) throw JobErrors.BadMap($"run {run} is enqueued already, and cannot be made for each item. Give it to a job as an argument.");

        var (bindings, items, given) = (new List<TemplateEdge>(), new List<string>(), new List<SharedArgument>());
        foreach (var binding in job.Bindings)
        {
            var (parameter, source, rule) = binding;
            if (source == _item && parameter is not null) items.Add(parameter);
            else if (source == _item) continue;
            else if (!IsShared(source)) bindings.Add(new(parameter, _index[source], rule, binding.HoldsAll));
            else if (job.Kind == JobKind.Gather && parameter is not null) bindings.Add(new(parameter, Constant(source, rule), JobEdgeRule.Success));
            else if (Share(parameter, source, rule) is { } name) given.Add(new(parameter!, name));
        }

        if (items.Count > 0 && job.Kind == JobKind.Gather) throw JobErrors.BadMap("the item itself is no job that Job.All could wait for.");

        var input = job.Payload.IsEmpty ? [] : JsonNode.Parse(job.Payload.Span)!.AsObject();
        if (job.Kind == JobKind.Gather && job.Bindings.Count == 0) input[JobBinding.Members] = new JsonArray();
        _index[job] = _nodes.Count;
        _nodes.Add(new(job.Kind.Name, input, job.Options, bindings, items, given, []));
    }

    // A group's members are jobs: one that all items share is a job that hands its result on.
    private int Constant(Job source, JobEdgeRule rule)
    {
        var name = Share(JobBinding.Members, source, rule)!;
        if (_constants.TryGetValue(name, out var known)) return known;

        _nodes.Add(new(JobKind.Forward.Name, [], null, [], [], [new(JobBinding.Members, name)], [], IsOnce: true));
        return _constants[name] = _nodes.Count - 1;
    }

    /// <returns>Under which name the map's own input has the result; null: only the order counts.</returns>
    private string? Share(string? parameter, Job source, JobEdgeRule rule)
    {
        var at = _shared.FindIndex(b => b.Source == source && b.Rule == rule && (b.Parameter is null) == (parameter is null));
        if (at < 0)
        {
            at = _shared.Count;
            _shared.Add(new(parameter is null ? null : $"={at}", source, rule));
        }

        return _shared[at].Parameter;
    }
}
