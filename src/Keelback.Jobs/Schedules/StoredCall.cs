using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>A call, or a graph of calls, as JSON: the jobs in an order in which each comes after those it waits for; the last is the root.</summary>
internal sealed record StoredCall(IReadOnlyList<StoredJob> Jobs)
{
    public IEnumerable<string> Kinds => Jobs.Select(job => job.Kind).Where(kind => !kind.StartsWith("keelback.", StringComparison.Ordinal)).Distinct();

    public static StoredCall Of(Job root)
    {
        var numbers = new Dictionary<Job, int>(ReferenceEqualityComparer.Instance);
        var jobs = new List<StoredJob>();

        // An explicit stack: a chain of jobs may be longer than the thread's.
        var open = new Stack<Job>([root]);
        while (open.TryPeek(out var job))
        {
            var missing = job.Bindings.Where(b => !numbers.ContainsKey(b.Source)).Select(b => b.Source).ToList();
            foreach (var source in missing) open.Push(source);
            if (missing.Count > 0) continue;

            open.Pop();
            if (numbers.TryAdd(job, jobs.Count)) jobs.Add(Store(job, numbers));
        }

        return new(jobs);
    }

    /// <summary>The description again; null: this process does not know one of its kinds.</summary>
    public Job? ToJob(JobKinds kinds)
    {
        var jobs = new List<Job>();
        foreach (var stored in Jobs)
        {
            if (kinds.Find(stored.Kind) is not { } kind) return null;
            var bindings = stored.Bindings.Select(b => new JobBinding(b.Parameter, jobs[b.Source])).ToList();
            jobs.Add(new(kind, stored.Input is { } input ? JsonSerializer.SerializeToUtf8Bytes(input) : default, bindings, stored.Options));
        }

        return jobs[^1];
    }

    private static StoredJob Store(Job job, Dictionary<Job, int> numbers)
    {
        JsonElement? input = null;
        if (!job.Payload.IsEmpty)
        {
            PayloadRules.CheckPayload(job.Kind.Name, job.Payload.Span);
            using var json = JsonDocument.Parse(job.Payload);
            input = json.RootElement.Clone();
        }

        return new(job.Kind.Name, input, [.. job.Bindings.Select(b => new StoredBinding(b.Parameter, numbers[b.Source]))], job.Options);
    }
}

/// <summary>One job of a <see cref="StoredCall"/>.</summary>
internal sealed record StoredJob(string Kind, JsonElement? Input, IReadOnlyList<StoredBinding> Bindings, EnqueueOptions? Options);

/// <summary>A <see cref="JobBinding"/> whose source is a number in the list.</summary>
internal sealed record StoredBinding(string? Parameter, int Source);
