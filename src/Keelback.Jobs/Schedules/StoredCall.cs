using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>A call, or a graph of calls, as JSON: the jobs in an order in which each comes after those it waits for, and the number of the root.</summary>
internal sealed record StoredCall(IReadOnlyList<StoredJob> Jobs, int Root)
{
    /// <summary>One that could not be made yet: every node that has the code may fire it.</summary>
    public static readonly StoredCall Unknown = new([], 0);

    public IEnumerable<string> Kinds => Jobs.Select(job => job.Kind).Where(kind => !kind.StartsWith("keelback.", StringComparison.Ordinal)).Distinct();

    /// <exception cref="KeelbackException">KB1206, KB1208; KB1277: a secret, and no key.</exception>
    public static StoredCall Of(Job root, JobSecrets secrets)
    {
        var numbers = new Dictionary<Job, int>(ReferenceEqualityComparer.Instance);
        var jobs = new List<StoredJob>();
        var callbacks = new List<(int Owner, JobEdgeRule Rule, Job Next)>();

        // An explicit stack: a chain of jobs may be longer than the thread's.
        var open = new Stack<Job>([root]);
        while (open.TryPeek(out var job))
        {
            var missing = job.Bindings.Where(b => !numbers.ContainsKey(b.Source)).Select(b => b.Source).ToList();
            foreach (var source in missing) open.Push(source);
            if (missing.Count > 0) continue;

            open.Pop();
            if (!numbers.TryAdd(job, jobs.Count)) continue;

            jobs.Add(Store(job, numbers, secrets));
            foreach (var callback in job.Parts.Callbacks)
            {
                var next = callback.Make(job);
                callbacks.Add((numbers[job], callback.Rule, next));
                open.Push(next);
            }
        }

        foreach (var owned in callbacks.GroupBy(c => c.Owner))
            jobs[owned.Key] = jobs[owned.Key] with { Callbacks = [.. owned.Select(c => new StoredBinding(null, numbers[c.Next], c.Rule))] };

        return new(jobs, numbers[root]);
    }

    /// <summary>The description again, in the version that this process has; null: it does not know one of the kinds.</summary>
    /// <exception cref="KeelbackException">KB1276: nothing upgrades it.</exception>
    public Job? ToJob(JobKinds kinds)
    {
        var jobs = new List<Job>();
        foreach (var stored in Jobs)
        {
            if ((stored.Run is null ? kinds.Find(stored.Kind) : JobKind.Existing) is not { } kind) return null;
            var bindings = stored.Bindings.Select(b => new JobBinding(b.Parameter, jobs[b.Source], b.Rule) { HoldsAll = b.HoldsAll }).ToList();
            jobs.Add(new(new JobParts(kind, Payload(stored, kind), bindings, stored.Options)
            {
                Run = stored.Run,
                Callbacks = [.. stored.Callbacks.Select(c => new JobCallback(c.Rule, _ => jobs[c.Source]))],
            }));
        }

        return jobs[Root];
    }

    // Secrets stay sealed: the run is stored with them.
    private static ReadOnlyMemory<byte> Payload(StoredJob stored, JobKind kind)
    {
        if (stored.Input is null && kind.Defaults.Version == 1) return default;

        var members = stored.Input is { } input ? JsonObject.Create(input)! : [];
        return JsonSerializer.SerializeToUtf8Bytes(PayloadReader.Current(kind, members, isWhole: stored.Bindings.All(b => b.Parameter is null)));
    }

    private static StoredJob Store(Job job, Dictionary<Job, int> numbers, JobSecrets secrets)
    {
        JsonElement? input = null;
        if (!job.Payload.IsEmpty)
        {
            PayloadRules.CheckPayload(job.Kind.Name, job.Payload.Span);
            using var json = JsonDocument.Parse(secrets.Seal(job.Kind, job.Payload));
            input = json.RootElement.Clone();
        }

        return new(job.Kind.Name, input, [.. job.Bindings.Select(b => new StoredBinding(b.Parameter, numbers[b.Source], b.Rule, b.HoldsAll))], job.Options)
        {
            Run = job.Parts.Run,
        };
    }
}

/// <summary>One job of a <see cref="StoredCall"/>.</summary>
internal sealed record StoredJob(string Kind, JsonElement? Input, IReadOnlyList<StoredBinding> Bindings, EnqueueOptions? Options)
{
    public IReadOnlyList<StoredBinding> Callbacks { get; init; } = [];

    public long? Run { get; init; }
}

/// <summary>A <see cref="JobBinding"/> whose source is a number in the list.</summary>
internal sealed record StoredBinding(string? Parameter, int Source, JobEdgeRule Rule = JobEdgeRule.Success, bool HoldsAll = false);
