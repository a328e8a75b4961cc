using Npgsql;
using Xunit.Abstractions;

namespace Keelback.Jobs.Tests;

/// <summary>The plans that a prepared statement keeps: made while the tables are empty, used when they are full.</summary>
public sealed class PlanTests(ITestOutputHelper output) : JobsTest
{
    [Fact]
    public async Task The_claim_reads_a_full_queue_by_its_index() =>
        await AssertNoScanAsync(ClaimStatement.Sql, "smallint[], smallint[], bigint[], int, int, bigint, text[], text, smallint[], text[], text[], smallint, bool",
            "'{1}', '{4}', '{0}', 10, 1, 1, '{note}', 'test', '{}', '{}', '{}', 2, true");

    [Fact]
    public async Task The_completion_finds_its_rows_by_their_keys() =>
        await AssertNoScanAsync(CompleteStatement.Followed, "bigint[], bigint[], jsonb[]", "'{1}', '{1}', '{null}'");

    [Fact]
    public async Task The_failure_finds_its_rows_by_their_keys() =>
        await AssertNoScanAsync(FailStatement.Sql, "bigint[], bigint[], interval[], smallint[], jsonb[]", "'{1}', '{1}', '{null}', '{0}', '{null}'");

    [Fact]
    public async Task Retention_finds_unique_keys_by_their_age_and_their_runs_by_key() =>
        await AssertNoScanAsync(KeyRetention.Sql, "text, timestamptz, bigint, interval, int", "'test', '1970-01-01', 0, '7 days', 1000");

    private async Task AssertNoScanAsync(string sql, string types, string values)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        await ExecuteAsync(connection, Statement.ByKey().CommandText.Replace("true)", "false)", StringComparison.Ordinal));
        await ExecuteAsync(connection, "set plan_cache_mode = force_generic_plan");
        await ExecuteAsync(connection, $"prepare statement ({types}) as {sql}");

        var plan = await ExplainAsync(connection, values);
        output.WriteLine(plan);

        foreach (var table in new[] { "ready", "run", "claim", "edge", "wait", "unique_key" })
            Assert.DoesNotContain($"Seq Scan on {table}", plan, StringComparison.Ordinal);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ExplainAsync(NpgsqlConnection connection, string values)
    {
        await using var command = new NpgsqlCommand($"explain (costs off) execute statement ({values})", connection);
        await using var row = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await row.ReadAsync()) lines.Add(row.GetString(0));
        return string.Join('\n', lines);
    }
}
