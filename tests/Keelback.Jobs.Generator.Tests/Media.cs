using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs.Generator.Tests;

public sealed record FileRef(string Path);

public sealed class Albums(DbContextOptions<Albums> options) : DbContext(options);

public enum Format
{
    Png,
    Webp,
}

/// <summary>Jobs of every shape that callers write.</summary>
public sealed partial class Media(Calls calls)
{
    /// <summary>Fetches a file.</summary>
    /// <param name="url">Where from.</param>
    /// <param name="ct">Stops it.</param>
    [Job(Queue = "media", MaxAttempts = 5)]
    public Task<FileRef> Fetch(Uri url, CancellationToken ct)
    {
        calls.Add($"Fetch {url} {ct.CanBeCanceled}");
        return Task.FromResult(new FileRef(url.AbsolutePath));
    }

    [Job, Retry<IOException>(MaxAttempts = 10, Backoff = RetryBackoff.Linear), Expected<FileNotFoundException>]
    public Task<FileRef> Resize(FileRef file, int size, CancellationToken ct) =>
        Task.FromResult(new FileRef($"{file.Path}@{size}"));

    [Job]
    public Task<List<FileRef>> ResizeAll(FileRef file, IReadOnlyList<int> sizes, CancellationToken ct) =>
        Task.FromResult(sizes.Select(size => new FileRef($"{file.Path}@{size}")).ToList());

    [Job]
    public Task<FileRef> ContactSheet(FileRef[] thumbs, CancellationToken ct) =>
        Task.FromResult(new FileRef(string.Join('+', thumbs.Select(thumb => thumb.Path))));

    [Job(Transactional = true, Context = typeof(Albums))]
    public Task Keep(CancellationToken ct) => Task.CompletedTask;

    [Job("media.label", Timeout = "00:00:30", Priority = 2)]
    public Task Label(
        FileRef file, string? text = null, Format format = Format.Webp, decimal scale = 1.5m, DateOnly? on = null,
        CancellationToken ct = default)
    {
        calls.Add($"Label {file.Path} {text ?? "null"} {format} {scale} {on?.ToString("O") ?? "null"}");
        return Task.CompletedTask;
    }

    [Job]
    public Task Tag(IEnumerable<string> tags, IReadOnlyDictionary<string, int> weights, long id, CancellationToken ct)
    {
        calls.Add($"Tag {string.Join(',', tags)} {string.Join(',', weights)} {id}");
        return Task.CompletedTask;
    }

    [Job]
    public Task<int[]> Sizes(string name, CancellationToken ct) => Task.FromResult(name == "small" ? new[] { 1 } : [2]);

    [Job]
    public Task<long> Count(CancellationToken ct) => Task.FromResult(1L);

    [Job]
    private Task Sweep(CancellationToken ct)
    {
        calls.Add("Sweep");
        return Task.CompletedTask;
    }

    public static Job Sweeping() => Sweep();
}

public static partial class Etl
{
    [Job]
    public static Task<string[]> List(DateOnly day, CancellationToken ct) => Task.FromResult(new[] { $"{day:O}.csv" });
}

public sealed partial class Disposing : IDisposable
{
    private readonly Calls _calls;

    public Disposing(Calls calls) => (_calls = calls).Add("made");

    [Job]
    public Task Go(CancellationToken ct)
    {
        _calls.Add("ran");
        return Task.CompletedTask;
    }

    public void Dispose() => _calls.Add("disposed");
}

/// <summary>What the jobs did, in order.</summary>
public sealed class Calls : List<string>;
