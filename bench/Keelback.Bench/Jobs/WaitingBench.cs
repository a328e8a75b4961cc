using Npgsql;

namespace Keelback.Bench;

/// <summary>Draining a little of a queue in which a million runs wait.</summary>
internal static class WaitingBench
{
    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        var waiting = options.IsSmoke ? 10_000 : 1_000_000;
        var taken = options.Jobs / 4;
        await using var pair = new JobPair(database, slots: 10);
        await using var db = NpgsqlDataSource.Create(database.ConnectionString);
        await FillAsync(db, waiting);

        var comparison = await Comparison.RunAsync("waiting", $"{taken:N0} jobs of {waiting:N0} that wait, 10 slots", Bar.None, options,
            () => RoundAsync(pair.Keelback), () => RoundAsync(pair.Floor));
        await pair.ClearAsync();
        return [comparison];

        async Task<Round> RoundAsync(Child side)
        {
            var before = side.Cpu;
            var took = JobPair.Seconds(await side.AskAsync($"take {taken}"));
            return new(taken, took, side.Cpu - before);
        }
    }

    private static async Task FillAsync(NpgsqlDataSource db, int runs)
    {
        await using var command = db.CreateCommand(
            """
            with made as (
                insert into keelback.run (id, kind, queue, priority, max_attempts, input)
                select keelback.first_run_id(keelback.clock()) | (nextval('keelback.run_seq') & 4194303), 'Noops.Run',
                       (select id from keelback.queue where name = 'default'), 4, 4, jsonb_build_object('number', n)
                from generate_series(1, $1) n
                returning id, queue, priority)
            insert into keelback.ready (queue, priority, run_id) select queue, priority, id from made order by id
            """);
        command.Parameters.AddWithValue(runs);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();

        await using var analyze = db.CreateCommand("vacuum analyze keelback.ready");
        await analyze.ExecuteNonQueryAsync();
    }
}
