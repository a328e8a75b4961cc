using System.Runtime.CompilerServices;

namespace Keelback.Jobs;

/// <content>One job for each of many items.</content>
public partial class Job
{
    /// <summary>
    /// A job for each item of another job's result, which is known only at run time, and their results in the items' order. The job may be named:
    /// <c>Job.Map(files, Media.Resize)</c>.
    /// </summary>
    /// <param name="items">The job whose result the items are, whatever kind of list it is; none gives an empty array.</param>
    /// <param name="job">Called once, now, with a stand-in for the item. It may return a whole graph; what in it does not depend on the item runs once, for all.</param>
    /// <param name="maxParallel">At most so many items at once: item i starts when item i - maxParallel has ended, however. Default: no bound but the workers'.</param>
    /// <exception cref="KeelbackException">KB1246: the call cannot be made for each item.</exception>
    public static Job<TResult[]> Map<T, TResult>(IJob<IEnumerable<T>> items, Func<Arg<T>, Job<TResult>> job, int? maxParallel = null) =>
        new(Mapped<T>(null, Source(items), job, new(true, maxParallel)));

    /// <inheritdoc cref="Map{T, TResult}(IJob{IEnumerable{T}}, Func{Arg{T}, Job{TResult}}, int?)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Map<T>(IJob<IEnumerable<T>> items, Func<Arg<T>, Job> job, int? maxParallel = null) =>
        new(Mapped<T>(null, Source(items), job, new(false, maxParallel)));

    /// <inheritdoc cref="Map{T, TResult}(IJob{IEnumerable{T}}, Func{Arg{T}, Job{TResult}}, int?)"/>
    /// <remarks>Of an argument that is itself an item, a chunk, or a result: so maps nest.</remarks>
    public static Job<TResult[]> Map<T, TResult>(ListArg<T> items, Func<Arg<T>, Job<TResult>> job, int? maxParallel = null) =>
        new(Mapped<T>(items.Source is null ? items.Value ?? [] : null, items.Source, job, new(true, maxParallel)));

    /// <inheritdoc cref="Map{T, TResult}(ListArg{T}, Func{Arg{T}, Job{TResult}}, int?)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Map<T>(ListArg<T> items, Func<Arg<T>, Job> job, int? maxParallel = null) =>
        new(Mapped<T>(items.Source is null ? items.Value ?? [] : null, items.Source, job, new(false, maxParallel)));

    /// <inheritdoc cref="Map{T, TResult}(ListArg{T}, Func{Arg{T}, Job{TResult}}, int?)"/>
    public static Job<TResult[]> Map<T, TResult>(Arg<T[]> items, Func<Arg<T>, Job<TResult>> job, int? maxParallel = null) =>
        Map((ListArg<T>)items, job, maxParallel);

    /// <inheritdoc cref="Map{T, TResult}(ListArg{T}, Func{Arg{T}, Job{TResult}}, int?)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Map<T>(Arg<T[]> items, Func<Arg<T>, Job> job, int? maxParallel = null) => Map((ListArg<T>)items, job, maxParallel);

    /// <summary>A job for each item that is known now, and their results in order. The items are stored as one payload, up to 256 KB.</summary>
    /// <inheritdoc cref="Map{T, TResult}(IJob{IEnumerable{T}}, Func{Arg{T}, Job{TResult}}, int?)"/>
    public static Job<TResult[]> Map<T, TResult>(IEnumerable<T> items, Func<Arg<T>, Job<TResult>> job, int? maxParallel = null) =>
        new(Mapped(Given(items), null, job, new(true, maxParallel)));

    /// <inheritdoc cref="Map{T, TResult}(IEnumerable{T}, Func{Arg{T}, Job{TResult}}, int?)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Map<T>(IEnumerable<T> items, Func<Arg<T>, Job> job, int? maxParallel = null) =>
        new(Mapped(Given(items), null, job, new(false, maxParallel)));

    /// <summary>A job for every <paramref name="size"/> items, the last one's possibly fewer, and their results in order.</summary>
    /// <param name="items">The job whose result the items are, whatever kind of list it is; none gives an empty array.</param>
    /// <param name="size">Items a chunk, 1 or more.</param>
    /// <param name="job">As of <c>Map</c>, with a stand-in for the chunk.</param>
    /// <param name="skew">Between the start of one chunk and the next, so that they do not all come at once. Default: none.</param>
    /// <exception cref="KeelbackException">KB1246.</exception>
    public static Job<TResult[]> Chunks<T, TResult>(IJob<IEnumerable<T>> items, int size, Func<ListArg<T>, Job<TResult>> job, TimeSpan skew = default) =>
        new(Chunked<T>(null, Source(items), job, new(true, null, size, skew)));

    /// <inheritdoc cref="Chunks{T, TResult}(IJob{IEnumerable{T}}, int, Func{ListArg{T}, Job{TResult}}, TimeSpan)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Chunks<T>(IJob<IEnumerable<T>> items, int size, Func<ListArg<T>, Job> job, TimeSpan skew = default) =>
        new(Chunked<T>(null, Source(items), job, new(false, null, size, skew)));

    /// <inheritdoc cref="Chunks{T, TResult}(IJob{IEnumerable{T}}, int, Func{ListArg{T}, Job{TResult}}, TimeSpan)"/>
    public static Job<TResult[]> Chunks<T, TResult>(IEnumerable<T> items, int size, Func<ListArg<T>, Job<TResult>> job, TimeSpan skew = default) =>
        new(Chunked(Given(items), null, job, new(true, null, size, skew)));

    /// <inheritdoc cref="Chunks{T, TResult}(IJob{IEnumerable{T}}, int, Func{ListArg{T}, Job{TResult}}, TimeSpan)"/>
    [OverloadResolutionPriority(-1)]
    public static Job Chunks<T>(IEnumerable<T> items, int size, Func<ListArg<T>, Job> job, TimeSpan skew = default) =>
        new(Chunked(Given(items), null, job, new(false, null, size, skew)));

    private static JobParts Mapped<T>(IEnumerable<T>? items, Job? source, Func<Arg<T>, Job> job, MapSettings settings)
    {
        ArgumentNullException.ThrowIfNull(job);
        var item = new Job<T>(JobKind.Item, default, []);
        return JobMap.Describe(items, source, job(item), item, settings);
    }

    private static JobParts Chunked<T>(IEnumerable<T>? items, Job? source, Func<ListArg<T>, Job> job, MapSettings settings)
    {
        ArgumentNullException.ThrowIfNull(job);
        var item = new Job<T[]>(JobKind.Item, default, []);
        return JobMap.Describe(items, source, job(item), item, settings);
    }

    private static Job Source<T>(IJob<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items.Description;
    }

    private static IEnumerable<T> Given<T>(IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items;
    }
}
