using System.Diagnostics;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>A node that is killed between a tick's row and its run.</summary>
public sealed class KilledTickerTests : SchedulesTest
{
    private const int Deaths = 3;

    [Fact]
    public async Task A_node_that_is_killed_half_way_leaves_no_tick_out_and_none_double()
    {
        var folder = Directory.CreateTempSubdirectory("keelback-failpoints-");
        try
        {
            for (var death = 0; death < Deaths; death++)
            {
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, FailPoint.TickInsert), "");
                using var node = Start(folder.FullName);
                using var patience = new CancellationTokenSource(Patience);
                await node.WaitForExitAsync(patience.Token);
                Assert.NotEqual(0, node.ExitCode);
            }

            await using var db = await NodeAsync();
            var left = await RunsAsync(db);

            await using var survivor = Node(Database.ConnectionString);
            await survivor.StartAsync();
            await Eventually(async () => await RunsAsync(db) >= Deaths + 2, "the survivor made up for the ticks");
            await survivor.StopAsync();

            Assert.Equal(0, left); // what the dead had inserted went with them
            Assert.Equal("t t", await db.ScalarAsync<string>(
                """
                select format('%s %s', count(*) = extract(epoch from max(at) - min(at)) + 1, count(*) = (select count(*) from keelback.run where kind = 'note'))
                from keelback.tick where outcome = 0 and run_id is not null
                """));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A node that ticks each second until its input ends, or it is killed.</summary>
    internal static async Task ServeAsync(string connection)
    {
        await using var node = Node(connection);
        await node.StartAsync();
        await Console.In.ReadLineAsync();
    }

    private static JobHost Node(string connection) => JobHost.Create(connection, [Note], o =>
        o.AddSchedule("seconds", Trigger.Every(TimeSpan.FromSeconds(1)), () => Note.Call(), new() { CatchUp = CatchUp.All, CatchUpLimit = 1000 }), program: "killed");

    private Process Start(string failPoints) => Process.Start(new ProcessStartInfo("dotnet", [typeof(KilledTickerTests).Assembly.Location, "schedules", Database.ConnectionString])
    {
        RedirectStandardInput = true,
        Environment = { ["KEELBACK_FAILPOINTS"] = failPoints },
    })!;
}
