using System.Globalization;
using System.Text.Json;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Looks for words: by their index where it says that few runs hold them, else by reading the newest runs in turn.</summary>
/// <remarks>A word that nearly every run holds is found at once by reading, and a rare one by the index; each would take seconds the other way.</remarks>
internal sealed class WordLook : AskingLook
{
    private const int FewHits = 5_000; // up to here the index is asked first
    private const int ManyHits = 100_000; // more than it can put in order in time
    private const int FirstSlice = 500; // runs read in turn: each slice twice the last
    private const int MostSlice = 8_000; // a longer one would end far beyond the time
    private static readonly TimeSpan s_indexPatience = TimeSpan.FromMilliseconds(30); // together with the reading under what a page may take

    private readonly string _words;
    private readonly bool _isEverywhere;
    private int _slice = FirstSlice;

    private WordLook(NpgsqlConnection connection, NpgsqlTransaction transaction, RunFilter filter, TimeProvider clock, string words, double estimate)
        : base(connection, transaction, filter, clock)
    {
        (_words, _isEverywhere) = (words, estimate > ManyHits);
        if (_isEverywhere) NeverAsk();
    }

    protected override TimeSpan Patience => _isEverywhere ? ReadPatience + s_indexPatience : ReadPatience;

    protected override TimeSpan AskPatience => s_indexPatience;

    protected override string Settings => "select set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)";

    public static async Task<WordLook> BeginAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RunFilter filter, TimeProvider clock, string words, RunSearch search, CancellationToken ct)
    {
        var estimate = await EstimateAsync(connection, words, ct);
        var look = new WordLook(connection, transaction, filter, clock, words, estimate);
        if (estimate <= FewHits) await look.AskAsync(search, ct);
        look.BeginAgain();
        return look;
    }

    /// <summary>The planner's guess of how many runs hold the words; it knows the most common ones, but not what begins with a prefix.</summary>
    private static async Task<double> EstimateAsync(NpgsqlConnection connection, string words, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("explain (format json) select from keelback.run_words where words @@ $1::tsquery", connection);
        command.Parameters.AddWithValue(words.Replace(":*", "", StringComparison.Ordinal));
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(ct))!);
        return plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
    }

    /// <summary>By the index of words.</summary>
    protected override NpgsqlBatchCommand Ask(long before) => Statement.Of(
        "select id from keelback.run_words where words @@ $1::tsquery and id < $2 order by id desc limit $3",
        Statement.P(_words), Statement.P(before), Statement.P(MostHits));

    /// <summary>Reads a slice of the newest runs that fit, for those that hold the words.</summary>
    protected override async Task<FoundRuns> ReadOnAsync(RunSearch search, int limit, CancellationToken ct)
    {
        var slice = _slice;
        _slice = Math.Min(_slice * 2, MostSlice);
        await using var command = new NpgsqlCommand { Connection = Connection };
        var where = await Filter.WhereAsync(command, search, ct);
        command.CommandText =
            $"""
            with slice as materialized (
                select s.id from keelback.run_search s where {where} order by s.id desc limit {slice.ToString(CultureInfo.InvariantCulture)}
            )
            select array(select p.id from slice p
                         cross join lateral (select words from keelback.run_words w where w.id = p.id limit 1) w
                         where w.words @@ {RunFilter.Add(command, _words)}::tsquery order by p.id desc limit {limit.ToString(CultureInfo.InvariantCulture)}),
                   count(*)::int, min(id)
            from slice
            """;
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var (ids, looked) = (row.GetFieldValue<long[]>(0), row.GetInt32(1));
        return ids.Length == limit
            ? new([.. ids], ids[^1], true, looked)
            : new([.. ids], row.IsDBNull(2) ? null : row.GetInt64(2), looked == slice, looked);
    }
}
