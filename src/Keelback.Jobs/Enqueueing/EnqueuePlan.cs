using System.Buffers;
using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>The rows that one or more calls become: each <see cref="Job"/> object is one run, each binding an edge.</summary>
/// <remarks>
/// <c>Job.All</c> as an argument is no run of its own: its members are bound to the argument's array directly, so that no
/// result is stored twice. Where it stands alone, or inside another one, it is a run.
/// </remarks>
internal sealed class EnqueuePlan
{
    private readonly Dictionary<Job, PlannedRun> _planned = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Job, EnqueueOptions> _given = new(ReferenceEqualityComparer.Instance); // not by With: what follows a job may name it
    private readonly List<PlannedRun> _existing = [];
    private readonly List<(Job Owner, JobCallback Callback, Job Next)> _callbacks = [];
    private readonly List<(Job First, Job Next, int Bindings)> _thens = [];
    private List<PlannedRun> _runs = [];

    private EnqueuePlan()
    {
    }

    /// <summary>Every run, those that others wait for first.</summary>
    public IReadOnlyList<PlannedRun> Runs => _runs;

    /// <summary>The runs that are rows already, and that some of the plan's wait for.</summary>
    public IReadOnlyList<PlannedRun> Existing => _existing;

    /// <summary>The runs of the calls that were given, in their order.</summary>
    public required IReadOnlyList<PlannedRun> Roots { get; init; }

    /// <summary>Whether the rows' ids are asked for before they are written: a graph's rows name each other, what is written twice must collide, and the plain statement knows only what most have.</summary>
    public bool ReserveIds
    {
        get => field || !IsFlat || Roots.Any(root => root.Options?.Id is not null) || _runs.Exists(run => run.IsUnusual) || Roots.Any(root => root.UniqueKey is not null);
        set;
    }

    /// <summary>Whether the runs have been through <see cref="EnqueueGate"/>.</summary>
    public bool HasPassed { get; set; }

    /// <summary>The graph that its runs join; null: they are one of their own.</summary>
    public long? Within { get; set; }

    /// <summary>The run in whose place it is put, which hands its unique key on to it; null: in none's.</summary>
    public long? Replaces { get; set; }

    /// <summary>An earlier try may have written the rows under the ids that are reserved.</summary>
    public bool MayBeWritten { get; set; }

    /// <summary>This process's worker wrote it, and has looked for it.</summary>
    public bool IsCarried { get; set; }

    /// <summary>Its rows are in the transaction: not so where an id or a unique key is another run's already.</summary>
    public bool IsWritten { get; set; }

    /// <summary>The runs that have become rows.</summary>
    public IEnumerable<PlannedRun> Written => IsWritten ? _runs.Where(run => run.Answer is null) : [];

    /// <summary>Runs that ended as it was written, because one that they wait for had ended before.</summary>
    public IReadOnlyList<long> Ended { get; set; } = [];

    public bool IsFlat => _runs.TrueForAll(run => run.Ups.Count == 0);

    /// <exception cref="KeelbackException">KB1206, KB1207, KB1208, KB1240, KB1241, KB1242, KB1246.</exception>
    public static EnqueuePlan Of(IEnumerable<Job> jobs, EnqueueOptions? options = null)
    {
        var roots = new List<PlannedRun>();
        var plan = new EnqueuePlan { Roots = roots };
        foreach (var job in jobs)
        {
            ArgumentNullException.ThrowIfNull(job);
            if (job.Parts.Run is { } run) throw JobErrors.NotACall(run, "it cannot be enqueued again. Give it to another job as an argument.");
            if (options is not null) plan._given[job] = options.Over(job.Options);
            roots.Add(plan.Add(job));
        }

        plan.LinkWhatFollows();
        plan.Settle();
        return plan;
    }

    /// <summary>What the runs' options are for the whole: tags go through a graph, and an id or a unique key is the enqueued job's alone. Again after options have changed.</summary>
    /// <exception cref="KeelbackException">KB1208.</exception>
    public void Settle()
    {
        GraphRoots.Mark(this);
        if (Roots.Count > 1 && Roots.FirstOrDefault(root => root.Options?.Id is not null) is { } named)
            throw JobErrors.BadOptions(named.Kind.Name, "an id is for a single call; enqueue it by itself.");
        if (IsFlat) return;

        foreach (var run in _runs.Except(Roots))
            if (run.Options?.Id is not null)
                throw JobErrors.BadOptions(run.Kind.Name, "an id belongs to the job that is enqueued, not to one that it waits for.");
            else if (run.Options?.Unique is not null)
                throw JobErrors.BadOptions(run.Kind.Name, "a unique key belongs to the job that is enqueued, not to one that it waits for.");

        if (Roots.Count > 1 && Roots.FirstOrDefault(root => root.UniqueKey is not null) is { } unique)
            throw JobErrors.BadOptions(unique.Kind.Name, "of many graphs at once none can have a unique key; enqueue it by itself.");
    }

    // An explicit stack: a chain of jobs may be longer than the thread's.
    private PlannedRun Add(Job root)
    {
        if (IsAlone(root)) return _planned.TryGetValue(root, out var known) ? known : _planned[root] = Plan(root);

        var open = new Stack<Job>([root]);
        var callbacks = new Queue<Job>();
        while (open.TryPeek(out var job) || callbacks.TryDequeue(out job))
        {
            if (_planned.ContainsKey(job))
            {
                open.TryPop(out _);
                continue;
            }

            if (open.Count == 0) open.Push(job);

            var missing = Sources(job).Where(source => !_planned.ContainsKey(source)).ToList();
            if (missing.Count > 0)
            {
                for (var i = missing.Count - 1; i >= 0; i--) open.Push(missing[i]); // the first written is the first to run
                continue;
            }

            open.Pop();
            _planned[job] = job.Parts.Run is { } run ? PlanExisting(job, run) : Plan(job);
            for (var i = 0; i < job.Bindings.Count; i++)
                if (job.Bindings[i].HoldsAll) _thens.Add((job.Bindings[i].Source, job, i));
            foreach (var callback in job.Parts.Callbacks)
            {
                var next = callback.Make(job) ?? throw new ArgumentNullException(nameof(root), "A callback returned null in the place of a job.");
                _callbacks.Add((job, callback, next));
                callbacks.Enqueue(next);
            }
        }

        return _planned[root];
    }

    private PlannedRun Plan(Job job)
    {
        if (job.Kind == JobKind.Item) throw JobErrors.BadMap("the stand-in for an item is none outside of the function that was given it.");

        var run = new PlannedRun(job.Kind, WithEmptyArrays(job), _given.GetValueOrDefault(job) ?? job.Options)
        {
            BoundParameters = job.Bindings.Count == 0 ? [] : [.. job.Bindings.Select(b => b.Parameter).OfType<string>()],
            Example = IsEngines(job) && job.Bindings.Count > 0 ? _planned[job.Bindings[0].Source] : null,
        };
        run.Check();
        PayloadRules.CheckPayload(job.Kind.Name, run.Payload.Span);

        foreach (var binding in job.Bindings)
        {
            var many = IsInlined(job, binding);
            foreach (var (_, up, rule) in many ? binding.Source.Bindings : [binding])
            {
                Link(_planned[up], run, rule);
                _planned[up].IsTaken |= TakesResult(job, new(binding.Parameter, up, rule));
                if (binding.Parameter is { } parameter && job.Kind != JobKind.Barrier)
                    run.Bind(_planned[up], Shape(parameter, rule, many || job.Kind == JobKind.Gather));
            }
        }

        _runs.Add(run);
        return run;
    }

    private PlannedRun PlanExisting(Job job, long run)
    {
        if (job.Options is not null || job.Bindings.Count > 0)
            throw JobErrors.NotACall(run, "options, and what comes first, were settled when it was.");

        if (_existing.Find(other => other.Id == run) is { } known) return known;

        var planned = new PlannedRun(job.Kind, default, null) { BoundParameters = [], Exists = true, Id = run };
        _existing.Add(planned);
        return planned;
    }

    // Who waits for a job that is at hand without its type wants no result of it; a stored call has lost the type, and its arguments are results.
    private static bool TakesResult(Job job, JobBinding binding) => binding is { Parameter: not null, Source.Parts.Run: not null, Rule: not JobEdgeRule.Failure }
        && job.Kind != JobKind.Barrier
        && (binding.Source.GetType() != typeof(Job) || binding.Rule == JobEdgeRule.Success && job.Kind != JobKind.Forward);

    private static void Link(PlannedRun up, PlannedRun down, JobEdgeRule rule)
    {
        if (down.Ups.TryGetValue(up, out var other) && other != rule)
        {
            if (other != JobEdgeRule.End && rule != JobEdgeRule.End) throw JobErrors.NeverOpens(down.Kind.Name, up.Kind.Name);
            rule = other == JobEdgeRule.End ? rule : other;
        }

        down.Follow(up, rule);
        up.Followed = true;
        up.Settles |= rule == JobEdgeRule.Failure;
    }

    private static string Shape(string parameter, JobEdgeRule rule, bool isElement) =>
        parameter + rule switch { JobEdgeRule.Failure => "!", JobEdgeRule.End => "?", _ => "" } + (isElement ? "[]" : "");

    // Only a callback can close a circle: everything else is made of descriptions that were there before it.
    private void LinkWhatFollows()
    {
        foreach (var (owner, callback, next) in _callbacks)
        {
            if (next.Parts.Run is { } run) throw JobErrors.NotACall(run, "it cannot follow a job that is only now enqueued.");
            Link(_planned[owner], _planned[next], callback.Rule);
        }

        if (_callbacks.Count + _thens.Count == 0) return;

        // What is nested in another one first: where it holds a job, the outer one need not.
        var roots = Roots.ToHashSet();
        var held = new HeldGraphs(
            _planned.Keys, _planned.Where(job => roots.Contains(job.Value)).Select(job => job.Key), Sources, _callbacks.ToLookup(c => c.Owner, c => c.Next));
        var hold = _callbacks.Count > 0;
        foreach (var (first, next, bindings) in _thens) hold |= Hold(first, JobEdgeRule.Success, held.Of(first, next, bindings));
        foreach (var (owner, callback, next) in _callbacks.AsEnumerable().Reverse()) Hold(owner, callback.Rule, held.Of(owner, next, next.Bindings.Count));
        if (hold) _runs = GraphOrder.Sort(_runs);
    }

    // Those that would start by themselves, and those that go on whatever becomes of what they wait for. The others end with these.
    private bool Hold(Job first, JobEdgeRule rule, List<Job> graph)
    {
        var held = graph.Select(job => _planned[job]).Where(run => !run.Exists && (run.Ups.Count == 0 || run.Ups.Values.Contains(JobEdgeRule.End))).ToList();
        foreach (var run in held) Link(_planned[first], run, rule);
        return held.Count > 0;
    }

    private static IEnumerable<Job> Sources(Job job) => Sources(job, job.Bindings.Count);

    private static IEnumerable<Job> Sources(Job job, int bindings) =>
        job.Bindings.Take(bindings).SelectMany(b => IsInlined(job, b) ? b.Source.Bindings.Select(inner => inner.Source) : [b.Source]);

    private static bool IsAlone(Job job) => job.Bindings.Count == 0 && job.Parts is { Run: null, Callbacks.Count: 0 };

    private static bool IsInlined(Job consumer, JobBinding binding) => binding is { Source: var source, Rule: JobEdgeRule.Success }
        && IsEngines(source) && !IsEngines(consumer) && source.Options is null && source.Parts.Callbacks.Count == 0
        && source.Bindings.All(b => !b.HoldsAll && (b.Parameter == JobBinding.Members || source.Kind == JobKind.Barrier));

    private static bool IsEngines(Job job) => job.Kind == JobKind.Gather || job.Kind == JobKind.Barrier;

    // Job.All of nothing is an empty array that is known now.
    private static ReadOnlyMemory<byte> WithEmptyArrays(Job job)
    {
        if (job.Bindings.Count == 0 && job.Kind != JobKind.Gather) return job.Payload;

        var empty = job.Kind == JobKind.Gather && job.Bindings.Count == 0
            ? [JobBinding.Members]
            : job.Bindings.Where(b => b.Parameter is not null && b.Source.Bindings.Count == 0 && IsInlined(job, b) && b.Source.Kind == JobKind.Gather)
                .Select(b => b.Parameter!).ToArray();
        if (empty.Length == 0) return job.Payload;

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (!job.Payload.IsEmpty)
            {
                using var known = JsonDocument.Parse(job.Payload);
                foreach (var member in known.RootElement.EnumerateObject()) member.WriteTo(json);
            }

            foreach (var parameter in empty)
            {
                json.WriteStartArray(parameter);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
