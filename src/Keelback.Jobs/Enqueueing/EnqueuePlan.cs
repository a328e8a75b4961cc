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
    private readonly List<PlannedRun> _runs = [];

    private EnqueuePlan()
    {
    }

    /// <summary>Every run, those that others wait for first.</summary>
    public IReadOnlyList<PlannedRun> Runs => _runs;

    /// <summary>The runs of the calls that were given, in their order.</summary>
    public required IReadOnlyList<PlannedRun> Roots { get; init; }

    /// <summary>Whether the rows' ids are asked for before they are written: a graph's rows name each other, what is written twice must collide, and the plain statement knows only what most have.</summary>
    public bool ReserveIds
    {
        get => field || !IsFlat || Roots.Any(root => root.Options?.Id is not null) || _runs.Exists(run => run.IsUnusual) || Roots.Any(root => root.UniqueKey is not null);
        set;
    }

    /// <summary>An earlier try may have written the rows under the ids that are reserved.</summary>
    public bool MayBeWritten { get; set; }

    public bool IsFlat => _runs.TrueForAll(run => run.Ups.Count == 0);

    /// <exception cref="KeelbackException">KB1206, KB1207, KB1208.</exception>
    public static EnqueuePlan Of(IEnumerable<Job> jobs, EnqueueOptions? options = null)
    {
        var roots = new List<PlannedRun>();
        var plan = new EnqueuePlan { Roots = roots };
        foreach (var job in jobs)
        {
            ArgumentNullException.ThrowIfNull(job);
            roots.Add(plan.Add(options is null ? job : job.With(options)));
        }

        foreach (var run in plan._runs.Except(roots))
            if (run.Options?.Id is not null)
                throw JobErrors.BadOptions(run.Kind.Name, "an id belongs to the job that is enqueued, not to one that it waits for.");
            else if (run.Options?.Unique is not null)
                throw JobErrors.BadOptions(run.Kind.Name, "a unique key belongs to the job that is enqueued, not to one that it waits for.");

        if (roots.Count > 1 && !plan.IsFlat && roots.Find(root => root.UniqueKey is not null) is { } unique)
            throw JobErrors.BadOptions(unique.Kind.Name, "of many graphs at once none can have a unique key; enqueue it by itself.");
        return plan;
    }

    // An explicit stack: a chain of jobs may be longer than the thread's.
    private PlannedRun Add(Job root)
    {
        var open = new Stack<Job>([root]);
        while (open.TryPeek(out var job))
        {
            if (_planned.ContainsKey(job))
            {
                open.Pop();
                continue;
            }

            var missing = Sources(job).Where(source => !_planned.ContainsKey(source)).ToList();
            if (missing.Count > 0)
            {
                foreach (var source in missing) open.Push(source);
                continue;
            }

            open.Pop();
            _planned[job] = Plan(job);
        }

        return _planned[root];
    }

    private PlannedRun Plan(Job job)
    {
        var run = new PlannedRun(job.Kind, WithEmptyArrays(job), job.Options)
        {
            BoundParameters = [.. job.Bindings.Select(b => b.Parameter).OfType<string>()],
            Example = IsEngines(job) && job.Bindings.Count > 0 ? _planned[job.Bindings[0].Source] : null,
        };
        run.Check();
        PayloadRules.CheckPayload(job.Kind.Name, run.Payload.Span);

        foreach (var (parameter, source) in job.Bindings)
        {
            var many = IsInlined(job, source);
            foreach (var up in many ? source.Bindings.Select(b => b.Source) : [source])
            {
                var planned = _planned[up];
                planned.Followed = true;
                run.Ups.Add(planned);
                if (parameter is not null && job.Kind != JobKind.Barrier)
                    run.Bound.Add((planned, many || job.Kind == JobKind.Gather ? parameter + "[]" : parameter));
            }
        }

        _runs.Add(run);
        return run;
    }

    private static IEnumerable<Job> Sources(Job job) =>
        job.Bindings.SelectMany(b => IsInlined(job, b.Source) ? b.Source.Bindings.Select(inner => inner.Source) : [b.Source]);

    private static bool IsInlined(Job consumer, Job source) => IsEngines(source) && !IsEngines(consumer) && source.Options is null
        && source.Bindings.All(b => b.Parameter == JobBinding.Members || source.Kind == JobKind.Barrier);

    private static bool IsEngines(Job job) => job.Kind == JobKind.Gather || job.Kind == JobKind.Barrier;

    // Job.All of nothing is an empty array that is known now.
    private static ReadOnlyMemory<byte> WithEmptyArrays(Job job)
    {
        var empty = job.Kind == JobKind.Gather && job.Bindings.Count == 0
            ? [JobBinding.Members]
            : job.Bindings.Where(b => b.Parameter is not null && b.Source.Bindings.Count == 0 && IsInlined(job, b.Source) && b.Source.Kind == JobKind.Gather)
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
