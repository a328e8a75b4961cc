using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>The body of a chord runs once, after the last member's commit, with each member's result once, whatever happens at the last member.</summary>
public sealed class ChordTests : JobsTest
{
    [Theory]
    [InlineData("plain", "chord_last")]
    [InlineData("plain", "before_commit")]
    [InlineData("transactional", "chord_last")]
    [InlineData("transactional", "after_commit")]
    public async Task A_worker_that_dies_at_the_last_member_leaves_a_body_that_runs_once(string member, string failPoint)
    {
        await Chords.CreateAsync(Database);
        await using var host = Chords.Host(Database.ConnectionString);
        var folder = Directory.CreateTempSubdirectory("keelback-chords");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, failPoint), "");
        var run = await host.Jobs.EnqueueAsync(Chords.Of(member, 2));

        using (var dies = Chords.Start(Database.ConnectionString, folder.FullName))
            await dies.WaitForExitAsync(new CancellationTokenSource(Patience).Token);
        Assert.Empty(Directory.GetFiles(folder.FullName, failPoint)); // it died there, and of that
        await host.StartAsync();
        var body = await host.EndOf(run);

        Assert.Equal((JobRunState.Succeeded, 3), (body.State, body.Result<int>()));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from note where what = 'body'"));
        Assert.Equal(member == "plain" ? 0 : 2, await host.ScalarAsync<long>("select count(*) from note where what = 'member'"));
        Assert.True(await host.ScalarAsync<bool>($"select b.started_at >= max(m.finished_at) from keelback.run b, keelback.run m where b.id = {run} and m.id <> {run} group by b.started_at"));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Two_last_members_that_commit_at_the_same_instant_release_the_body_once()
    {
        const int races = 400;
        await using var host = Chords.Host(Database.ConnectionString);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, races).Select(_ => Chords.Of("plain", 2)));
        await using var one = await host.Db.OpenConnectionAsync();
        await using var two = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(one, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claimed = await ClaimAsync(one, worker, 2 * races, "plain");
        var downs = await DownsAsync(one);
        using var barrier = new Barrier(2);

        // Each of the two ends one member of each chord, in step.
        var members = claimed.GroupBy(claim => downs[claim.RunId]).Select(g => g.ToArray()).ToList();
        await Task.WhenAll(RunAsync(one, 0), RunAsync(two, 1));
        var bodies = await ClaimAsync(one, worker, races + 1, "body");

        Assert.Equal(races, members.Count);
        Assert.Equal(races, bodies.Select(claim => claim.RunId).Distinct().Count());
        Assert.Equal(races, bodies.Count);
        Assert.All(bodies, body => Assert.Equal("[1, 2]", System.Text.Json.JsonDocument.Parse(body.Input).RootElement.GetProperty("numbers").ToString().Replace(",", ", ").Replace("  ", " ")));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));

        Task RunAsync(NpgsqlConnection connection, int side) => Task.Run(async () =>
        {
            foreach (var pair in members)
            {
                var done = new Outcome.Succeeded(pair[side], System.Text.Json.JsonDocument.Parse(pair[side].Input).RootElement.GetProperty("n").GetRawText().Select(c => (byte)c).ToArray());
                barrier.SignalAndWait(Patience);
                await Exchange.RunAsync(connection, new() { Outcomes = [done] }, prepare: false, default);
            }
        });
    }

    [Fact]
    public async Task Of_two_members_that_end_at_once_one_failed_the_body_ends_once_and_by_its_rule()
    {
        const int races = 200;
        await using var host = Chords.Host(Database.ConnectionString);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, races).Select(_ => Chords.Of("plain", 2)));
        await using var one = await host.Db.OpenConnectionAsync();
        await using var two = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(one, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claimed = await ClaimAsync(one, worker, 2 * races, "plain");
        var downs = await DownsAsync(one);
        var members = claimed.GroupBy(claim => downs[claim.RunId]).Select(g => g.ToArray()).ToList();
        using var barrier = new Barrier(2);

        await Task.WhenAll(
            RunAsync(one, pair => new Outcome.Succeeded(pair[0], "1"u8.ToArray())),
            RunAsync(two, pair => new Outcome.Failed(pair[1], new("Test", "no luck"), JobAttemptOutcome.Failed, null)));

        Assert.Equal($"{races} {races} {races}", await host.ScalarAsync<string>(
            "select count(*) filter (where state = 1) || ' ' || count(*) filter (where state = 2) || ' ' || count(*) filter (where state = 4) from keelback.run"));
        Assert.Equal("0 0", await host.ScalarAsync<string>("select (select count(*) from keelback.wait) || ' ' || (select count(*) from keelback.ready)"));

        Task RunAsync(NpgsqlConnection connection, Func<Claim[], Outcome> end) => Task.Run(async () =>
        {
            foreach (var pair in members)
            {
                barrier.SignalAndWait(Patience);
                await Exchange.RunAsync(connection, new() { Outcomes = [end(pair)] }, prepare: false, default);
            }
        });
    }

    private static async Task<List<Claim>> ClaimAsync(NpgsqlConnection connection, WorkerIdentity worker, int limit, string kind) =>
        (await Exchange.RunAsync(connection, new() { Outcomes = [], Claim = new([1], [4], [0], limit, worker, "test", [kind]) }, prepare: false, default)).Claimed.Claims;

    private static async Task<Dictionary<long, long>> DownsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select up, down from keelback.edge", connection);
        var downs = new Dictionary<long, long>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) downs.Add(row.GetInt64(0), row.GetInt64(1));
        return downs;
    }
}
