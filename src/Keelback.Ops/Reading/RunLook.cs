using System.Globalization;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The runs that a look found, the last one that it looked at, whether there may be more, and how many it looked at.</summary>
internal readonly record struct FoundRuns(List<long> Ids, long? Last, bool More, int Looked);

/// <summary>Reads the agent's copy from the newest run on, a part at a time, for as long as a page may take.</summary>
internal class RunLook(NpgsqlConnection connection, RunFilter filter, TimeProvider clock)
{
    /// <summary>For reading in turn.</summary>
    protected static readonly TimeSpan ReadPatience = TimeSpan.FromMilliseconds(20);

    private long _began = clock.GetTimestamp();

    protected NpgsqlConnection Connection { get; } = connection;

    protected RunFilter Filter { get; } = filter;

    protected virtual TimeSpan Patience => ReadPatience;

    /// <summary>The next runs that fit.</summary>
    public virtual Task<FoundRuns> NextAsync(RunSearch search, int limit, CancellationToken ct) => ReadAsync(search, among: null, limit, ct);

    /// <summary>False: the time is over, and what is left is for the next page.</summary>
    public virtual Task<bool> GoesOnAsync(RunSearch search, CancellationToken ct) => Task.FromResult(HasTime());

    protected bool HasTime() => clock.GetElapsedTime(_began) < Patience;

    protected void BeginAgain() => _began = clock.GetTimestamp();

    /// <param name="search">What they fit.</param>
    /// <param name="among">Null: among all.</param>
    /// <param name="limit">The most.</param>
    /// <param name="ct">Ends it.</param>
    protected async Task<FoundRuns> ReadAsync(RunSearch search, long[]? among, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand { Connection = Connection };
        var where = await Filter.WhereAsync(command, search, ct);
        if (among is not null) where += $" and s.id = any({RunFilter.Add(command, among)})";
        command.CommandText = $"select s.id from keelback.run_search s where {where} order by s.id desc limit {limit.ToString(CultureInfo.InvariantCulture)}";
        await using var row = await command.ExecuteReaderAsync(ct);
        var ids = await Statement.IdsAsync(row, ct);
        return new(ids, ids.Count > 0 ? ids[^1] : null, ids.Count == limit, ids.Count);
    }
}
