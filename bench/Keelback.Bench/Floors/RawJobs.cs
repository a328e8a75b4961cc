using System.Diagnostics;
using System.Globalization;
using System.Text;
using Keelback.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Bench.Floors;

/// <summary>The floor of enqueue and drain: the engine's own statements from plain Npgsql, with no worker, scope, lease or retry around them.</summary>
internal sealed class RawJobs(NpgsqlConnection connection, int slots)
{
    private const int JobsACall = 1_000;

    public static async Task<int> RunAsync(string connectionString, int slots)
    {
        await using var db = NpgsqlDataSource.Create(connectionString);
        await using var connection = await db.OpenConnectionAsync();
        var floor = new RawJobs(connection, slots);

        Child.Answer("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var (verb, jobs) = (line.Split(' ')[0], int.Parse(line.Split(' ')[1], null));
            var took = verb == "enqueue" ? await floor.EnqueueAsync(jobs) : await floor.DrainAsync(jobs);
            Child.Answer(took.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }

        return 0;
    }

    private async Task<TimeSpan> EnqueueAsync(int jobs)
    {
        var queue = await QueueAsync();
        var started = Stopwatch.GetTimestamp();
        for (var done = 0; done < jobs; done += JobsACall)
        {
            var inputs = new byte[JobsACall][];
            for (var i = 0; i < JobsACall; i++) inputs[i] = Encoding.UTF8.GetBytes($$"""{"number":{{done + i}}}""");

            await using var command = new NpgsqlCommand(EnqueueStatements.FlatSql, connection);
            command.Parameters.AddWithValue(Repeat("Noops.Run"));
            command.Parameters.AddWithValue(Repeat(queue));
            command.Parameters.AddWithValue(Repeat((short)4));
            command.Parameters.AddWithValue(Repeat((short)4));
            command.Parameters.AddWithValue(Repeat((int?)null));
            command.Parameters.Add(new NpgsqlParameter { Value = inputs, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
            command.Parameters.Add(new NpgsqlParameter { Value = Repeat((DateTime?)null), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
            command.Parameters.Add(new NpgsqlParameter { Value = Repeat((TimeSpan?)null), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
            command.Parameters.Add(new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });

            var ids = new long[JobsACall];
            await using var row = await command.ExecuteReaderAsync();
            for (var i = 0; await row.ReadAsync(); i++) ids[i] = row.GetInt64(0);
        }

        return Stopwatch.GetElapsedTime(started);

        static T[] Repeat<T>(T value)
        {
            var all = new T[JobsACall];
            Array.Fill(all, value);
            return all;
        }
    }

    /// <summary>Ends the last batch and claims the next in one round trip, until all are done. The "job" reads its one argument.</summary>
    private async Task<TimeSpan> DrainAsync(int jobs)
    {
        var queue = await QueueAsync();
        var (worker, epoch) = await RegisterAsync();
        var (queues, priorities) = (Enumerable.Repeat(queue, 10).ToArray(), Enumerable.Range(0, 10).Select(p => (short)p).ToArray());
        var (marks, kinds, sum) = (new long[10], (string[])["Noops.Run"], 0L);

        var started = Stopwatch.GetTimestamp();
        var (ids, tokens) = (new List<long>(slots), new List<long>(slots));
        for (var ended = 0; ended < jobs;)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new(Statement.ByKey().CommandText));
            if (ids.Count > 0)
            {
                batch.BatchCommands.Add(new(CompleteStatement.Plain));
                batch.BatchCommands[1].Parameters.AddWithValue(ids.ToArray());
                batch.BatchCommands[1].Parameters.AddWithValue(tokens.ToArray());
                batch.BatchCommands[1].Parameters.Add(new() { Value = new byte[]?[ids.Count], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
            }

            var claim = new NpgsqlBatchCommand(ClaimStatement.Sql);
            foreach (var value in (object[])[queues, priorities, marks, slots, worker, epoch, kinds]) claim.Parameters.AddWithValue(value);
            batch.BatchCommands.Add(claim);
            await batch.PrepareAsync();

            await using var row = await batch.ExecuteReaderAsync();
            await row.NextResultAsync();
            if (ids.Count > 0)
            {
                while (await row.ReadAsync()) ended++;
                await row.NextResultAsync();
            }

            ids.Clear();
            tokens.Clear();
            while (await row.ReadAsync())
            {
                marks[4] = row.GetInt64(2);
                ids.Add(row.GetInt64(3));
                tokens.Add(row.GetInt64(4));
                sum += Number(row.GetFieldValue<byte[]>(12));
            }
        }

        var took = Stopwatch.GetElapsedTime(started);
        if (sum != (long)jobs * (jobs - 1) / 2) throw new InvalidOperationException($"The arguments of {jobs} jobs add up to {sum}.");
        return took;
    }

    private static long Number(byte[] input)
    {
        var json = new System.Text.Json.Utf8JsonReader(input);
        while (json.Read())
            if (json.TokenType == System.Text.Json.JsonTokenType.Number) return json.GetInt64();

        return 0;
    }

    private async Task<short> QueueAsync()
    {
        await using var command = new NpgsqlCommand("select id from keelback.queue where name = 'default'", connection);
        return (short)(await command.ExecuteScalarAsync())!;
    }

    private async Task<(object Id, object Epoch)> RegisterAsync()
    {
        await using var command = new NpgsqlCommand(
            """
            insert into keelback.worker (app, name, queues, started_at, lease_until, info)
            values ('floor', 'floor', '{}', keelback.clock(), keelback.clock() + interval '1 h', '{}')
            returning id, epoch
            """, connection);
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return (row.GetValue(0), row.GetValue(1));
    }
}
