using Keelback.Jobs;
using Keelback.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Bench.Floors;

/// <summary>The engine's completion and claim in one round trip and one commit, over and over.</summary>
internal sealed class ClaimLoop(NpgsqlConnection connection, short queue, WorkerIdentity worker)
{
    private static readonly string[] s_kinds = ["Noops.Run", "Noops.Echo"];

    private readonly short[] _queues = [.. Enumerable.Repeat(queue, 10)];
    private readonly short[] _priorities = [.. Enumerable.Range(0, 10).Select(p => (short)p)];
    private readonly long[] _marks = new long[10];

    /// <summary>Ends what is held, and holds what comes next.</summary>
    public async Task TurnAsync(string completion, List<(long Id, long Token)> held, byte[]?[] outputs, int limit, Action<byte[]> run)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(Statement.ByKey().CommandText));
        if (held.Count > 0)
        {
            batch.BatchCommands.Add(new(completion));
            batch.BatchCommands[1].Parameters.AddWithValue(held.Select(h => h.Id).ToArray());
            batch.BatchCommands[1].Parameters.AddWithValue(held.Select(h => h.Token).ToArray());
            batch.BatchCommands[1].Parameters.Add(new() { Value = outputs, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        }

        batch.BatchCommands.Add(ClaimStatement.Of(new(_queues, _priorities, _marks, limit, worker, "bench", s_kinds)));
        await batch.PrepareAsync();

        await using var row = await batch.ExecuteReaderAsync();
        await row.NextResultAsync();
        if (held.Count > 0)
        {
            var ended = 0;
            while (await row.ReadAsync()) ended++;
            if (ended != held.Count) throw new InvalidOperationException($"{ended} of {held.Count} were ended.");
            await row.NextResultAsync();
        }

        held.Clear();
        var claimed = new ClaimResult();
        await ClaimStatement.ReadAsync(row, claimed, CancellationToken.None);
        foreach (var seen in claimed.Seen) _marks[seen.Priority] = seen.Seq;
        foreach (var claim in claimed.Claims)
        {
            held.Add((claim.RunId, claim.Token));
            run(claim.Input);
        }
    }
}
