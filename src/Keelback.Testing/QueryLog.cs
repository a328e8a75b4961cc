using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace Keelback.Testing;

/// <summary>The statements that the app sent, by EF Core or by hand; in a test that is not rolled back, without those on the <c>keelback</c> schema.</summary>
public sealed class QueryLog
{
    // Npgsql builds its activities, and so calls back, only where someone listens.
    private static readonly ActivityListener s_listener = Listen();

    private readonly ConcurrentQueue<string> _queries = new();
    private int _paused;

    internal QueryLog()
    {
    }

    /// <summary>How many statements there were.</summary>
    public int Count => _queries.Count;

    /// <summary>Their text, in order.</summary>
    public IReadOnlyList<string> All => [.. _queries];

    /// <summary>The connection that a rolled-back test has; null: any connection of the data source counts.</summary>
    internal NpgsqlConnection? Pinned { get; set; }

    /// <summary>Forgets what was counted so far.</summary>
    public void Clear() => _queries.Clear();

    /// <summary>Fails, and lists them, unless there were exactly as many.</summary>
    public void ShouldBe(int count)
    {
        var all = All;
        if (all.Count == count) return;

        throw new TestFailedException(
            $"Expected {count} {(count == 1 ? "query" : "queries")}, and there were {all.Count}:\n" +
            string.Join("\n", all.Select((query, i) => $"{i + 1}. {query.ReplaceLineEndings("\n   ")}")));
    }

    internal IDisposable Pause()
    {
        Interlocked.Increment(ref _paused);
        return new Paused(this);
    }

    /// <summary>A data source whose statements are counted here.</summary>
    internal NpgsqlDataSource Watch(string connectionString)
    {
        _ = s_listener;
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConfigureTracing(tracing => tracing
            .ConfigureCommandEnrichmentCallback((_, command) => Note(ConnectionOf(command), command.CommandText))
            .ConfigureBatchEnrichmentCallback((_, batch) => Note(batch.Connection, string.Join(";\n", ((IEnumerable<NpgsqlBatchCommand>)batch.BatchCommands).Select(c => c.CommandText)))));
        return builder.Build();
    }

    private void Note(NpgsqlConnection? connection, string text)
    {
        if (_paused > 0) return;
        if (Pinned is null ? text.Contains("keelback.", StringComparison.Ordinal) : connection != Pinned) return;

        _queries.Enqueue(text);
    }

    // A command made by the data source itself has none that one may ask for.
    private static NpgsqlConnection? ConnectionOf(NpgsqlCommand command)
    {
        try
        {
            return command.Connection;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    private static ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Paused(QueryLog log) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref log._paused);
    }
}
