using Npgsql;

namespace Keelback.Bench;

/// <summary>Jobs a second while somebody's transaction holds a snapshot: its last ten seconds beside its first.</summary>
internal static class SnapshotBench
{
    private const int Runs = 5;

    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        await using var keelback = JobPair.Start("keelback", database, slots: 50);
        var seconds = options.IsSmoke ? 6 : 60;
        var rounds = new List<(Round, Round)>();
        for (var run = 0; run < (options.IsSmoke ? 1 : Runs); run++)
        {
            var perSecond = await HoldAsync(database, () => keelback.AskAsync($"flood {seconds}"));
            var edge = seconds / 6;
            var (first, last) = (Median(perSecond[..edge]), Median(perSecond[^edge..]));
            rounds.Add((new((int)last, TimeSpan.FromSeconds(1), default), new((int)first, TimeSpan.FromSeconds(1), default)));
            await keelback.AskAsync("clear 0");
            Console.Error.WriteLine($"snapshot {run + 1}: {first:N0} jobs a second at first, {last:N0} at last");
        }

        return [new("snapshot", $"a held snapshot: seconds {seconds * 5 / 6}-{seconds}; floor: seconds 1-{seconds / 6}", Bar.AtLeast(0.4), rounds)];
    }

    private static async Task<double[]> HoldAsync(BenchDatabase database, Func<Task<string>> work)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var command = new NpgsqlCommand("select count(*) from keelback.queue", connection)) await command.ExecuteScalarAsync();

        var answer = await work();
        return [.. answer.Split(' ').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
