using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs;

/// <summary>The engine's job behind <see cref="Job.Map{T, TResult}(IJob{IEnumerable{T}}, Func{Arg{T}, Job{TResult}}, int?)"/>: once its items are known, it puts a job for each in its place.</summary>
internal static class JobMap
{
    /// <summary>Of one map: each is a run or more of one transaction, and their results one array.</summary>
    /// <remarks>So many of one small job each were written in 9 s and had run after 25 s on two busy cores; the process had 0.7 GB at most.</remarks>
    public const int MostItems = 100_000;

    private const string Items = "items";
    private const string Template = "map";

    /// <param name="items">The items that are known; null: they are the result of <paramref name="source"/>.</param>
    /// <param name="source">The job whose result they are.</param>
    /// <param name="root">What is done with an item.</param>
    /// <param name="item">Stands for the item in it.</param>
    /// <param name="settings">How they are cut, and how many run at once.</param>
    public static JobParts Describe<T>(IEnumerable<T>? items, Job? source, Job root, Job item, MapSettings settings)
    {
        ArgumentNullException.ThrowIfNull(root);
        settings.Check();

        var bindings = new List<JobBinding>();
        var template = JobTemplate.Of(root, item, bindings);
        if (source is not null) bindings.Add(JobBinding.Of(Items, source));

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (source is null)
            {
                json.WritePropertyName(Items);
                JsonSerializer.Serialize(json, items, JobJson.Options);
            }

            json.WritePropertyName(Template);
            JsonSerializer.Serialize(json, new MapInput(template, settings), JobJson.Options);
            json.WriteEndObject();
        }

        // In the queue of what it makes: whoever works there knows the kinds.
        var queue = Leaf(root).Options?.Queue ?? Leaf(root).Kind.Defaults.Queue;
        return new(JobKind.Map, buffer.WrittenMemory, bindings, new() { Queue = queue, Priority = root.Options?.Priority });
    }

    public static ValueTask<ReadOnlyMemory<byte>> RunAsync(JobCall call)
    {
        var input = call.Input;
        var (template, settings) = input.GetProperty(Template).Deserialize<MapInput>(JobJson.Options)!;
        var items = input.GetProperty(Items);
        if (items.ValueKind == JsonValueKind.Null || items.GetArrayLength() == 0) return new(settings.HasResult ? "[]"u8.ToArray() : default);

        var count = (items.GetArrayLength() - 1) / (settings.Size ?? 1) + 1;
        if (count > MostItems) throw JobErrors.TooManyItems(count, MostItems);

        var kinds = call.Services.GetRequiredService<JobKinds>();
        var context = call.Services.GetRequiredService<JobContext>();
        var jobs = new List<Job>(count);
        var once = new Job?[template.Nodes.Count];
        foreach (var item in settings.Size is { } size ? Chunks(items, size) : items.EnumerateArray())
        {
            var gate = settings.MaxParallel is { } most && jobs.Count >= most ? jobs[jobs.Count - most] : null;
            jobs.Add(template.Make(kinds, item, input, once, context.Queue, gate, jobs.Count * settings.Skew));
        }

        context.Replace(settings.HasResult
            ? new Job(JobKind.Gather, default, [.. jobs.Select(job => new JobBinding(JobBinding.Members, job))])
            : Job.All(jobs));
        return default;
    }

    private static IEnumerable<JsonElement> Chunks(JsonElement items, int size) =>
        items.EnumerateArray().Chunk(size).Select(chunk => JsonSerializer.SerializeToElement(chunk));

    // Groups are the engine's, and have no queue of theirs.
    private static Job Leaf(Job job)
    {
        while ((job.Kind == JobKind.Gather || job.Kind == JobKind.Barrier) && job.Bindings.Count > 0) job = job.Bindings[0].Source;
        return job;
    }

    private sealed record MapInput(JobTemplate Template, MapSettings Settings);
}

/// <summary>How a map cuts its items and starts what it makes of them.</summary>
/// <param name="HasResult">Whether the results are handed on as an array.</param>
/// <param name="MaxParallel">At most so many items at once; null: as many as workers have slots.</param>
/// <param name="Size">Items a chunk; null: one by one.</param>
/// <param name="Skew">Between the starts of one chunk and the next.</param>
internal sealed record MapSettings(bool HasResult, int? MaxParallel = null, int? Size = null, TimeSpan Skew = default)
{
    public void Check()
    {
        if (MaxParallel is < 1) throw JobErrors.BadMap($"maxParallel ({MaxParallel}) must be 1 or more.");
        if (Size is < 1) throw JobErrors.BadMap($"the size of a chunk ({Size}) must be 1 or more.");
        if (Skew < TimeSpan.Zero) throw JobErrors.BadMap($"the skew ({Skew}) must not be negative.");
    }
}
