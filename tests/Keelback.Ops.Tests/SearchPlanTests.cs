using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TestJobs = Keelback.Jobs.Tests.TestJobs;

namespace Keelback.Ops.Tests;

/// <summary>How searches and the overview read, with enough rows that the planner has a reason to choose.</summary>
public sealed class SearchPlanTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");
    private static readonly JobKind s_bulk = TestJobs.Kind("import.rows", _ => Task.CompletedTask, j => j.Queue = "bulk");

    [Theory]
    [InlineData("queue", "run_search_queue")]
    [InlineData("kind", "run_search_kind")]
    public async Task A_search_reads_no_more_than_it_shows_by_an_index_that_is_in_order(string by, string index)
    {
        await using var app = await FilledAsync();

        var plan = await ExplainAsync(app, by == "queue" ? new() { Queue = "mail" } : new() { Kind = "seldom" });

        Assert.Contains($"Scan Backward using {index}", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hours_that_are_over_are_read_once_a_minute()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await app.Jobs.EnqueueAsync(s_mail.Call());
        await using (var command = app.Db.CreateCommand(
            """
            insert into keelback.rollup select 1, date_trunc('hour', now()) - h * interval '1 hour', queue, kind, 0, 1, 0, 0, 0, 0, 0, '{}', 0, '{}'
            from keelback.run, generate_series(0, 9) h
            """)) await command.ExecuteNonQueryAsync();
        var reader = app.Services.GetRequiredService<OverviewReader>();
        async Task<long> SucceededAsync() => (await reader.ReadAsync(FigureRange.All[2], default)).Total.Succeeded;

        var first = await SucceededAsync();
        await using (var command = app.Db.CreateCommand("update keelback.rollup set succeeded = 11 where step = 1")) await command.ExecuteNonQueryAsync();
        var young = await SucceededAsync();
        clock.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal((10, 40, 110), (first, young, await SucceededAsync()));
    }

    private async Task<OpsApp> FilledAsync()
    {
        var app = await OpsApp.OpenAsync(Database, [s_mail, s_bulk]);
        await app.Jobs.EnqueueManyAsync([s_mail.Call(), s_bulk.Call()]);
        await using var command = app.Db.CreateCommand(
            """
            insert into keelback.run_search (id, kind, queue, state)
            select i, case when i % 500 = 0 then 'seldom' else 'often' end, (select id from keelback.queue where name = case when i < 500 then 'mail' else 'bulk' end), 1
            from generate_series(1, 50000) i;
            analyze keelback.run_search
            """);
        await command.ExecuteNonQueryAsync();
        return app;
    }

    private static async Task<string> ExplainAsync(OpsApp app, RunSearch search)
    {
        await using var connection = await app.Db.OpenConnectionAsync();
        await using var command = new NpgsqlCommand { Connection = connection };
        var where = await new RunFilter(app.Services.GetRequiredService<QueueCatalog>()).WhereAsync(command, search, default);
        command.CommandText = $"explain (costs off) select s.id from keelback.run_search s where {where} order by s.id desc limit 51";
        await using var row = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await row.ReadAsync()) lines.Add(row.GetString(0));
        return string.Join('\n', lines);
    }
}
