using Keelback.Jobs;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The names that a person may mean.</summary>
internal sealed class KnownNames(NpgsqlDataSource db, QueueCatalog catalog, JobKinds kinds, RunSearcher searcher)
{
    /// <exception cref="KeelbackException">KB1703: no such queue. KB1704: no such kind.</exception>
    public async Task CheckAsync(RunSearch search, CancellationToken ct)
    {
        if (await MistakesAsync(search, ct) is [var (_, mistake), ..]) throw mistake;
    }

    /// <summary>The search of an address. What does not read, or is not there, is told in <paramref name="mistakes"/>: an action over a misspelt kind would do nothing and say that it did.</summary>
    public async Task<RunSearch> ReadAsync(IQueryCollection query, List<FieldError> mistakes, CancellationToken ct)
    {
        var search = RunSearch.Of(query, mistakes);
        var told = mistakes.Select(m => m.Parameter).ToHashSet(); // a name with a NUL, say, which the database takes in no question
        var asked = search with { Kind = told.Contains("kind") ? null : search.Kind, Queue = told.Contains("queue") ? null : search.Queue };
        mistakes.AddRange((await MistakesAsync(asked, ct)).Select(m => FieldError.InParameter(m.Key, "unknown", m.Mistake.Text)));
        return search;
    }

    private async Task<IReadOnlyList<(string Key, KeelbackException Mistake)>> MistakesAsync(RunSearch search, CancellationToken ct)
    {
        var mistakes = new List<(string Key, KeelbackException Mistake)>();
        if (search.Queue is { } queue && await QueueNames.AllAsync(db, catalog.App, ct) is var queues && !queues.ContainsKey(queue))
            mistakes.Add(("queue", OpsErrors.NoSuchQueue(queue, queues.Keys)));
        if (search.Kind is { } kind && await OtherKindsAsync(kind, ct) is { } others) mistakes.Add(("kind", OpsErrors.NoSuchKind(kind, others)));
        return mistakes;
    }

    /// <summary>Null: the kind is known; else those that are.</summary>
    public async Task<IEnumerable<string>?> OtherKindsAsync(string kind, CancellationToken ct)
    {
        if (kinds.Find(kind) is not null || await searcher.HasKindAsync(kind, ct)) return null;

        return (await searcher.KindsAsync(ct)).Concat(kinds.Names);
    }
}
