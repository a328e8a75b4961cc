using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>Hosts that fire when the test says so, and what became of the ticks.</summary>
public abstract class SchedulesTest : JobsTest
{
    internal static readonly JobKind Note = TestJobs.Kind("note", _ => Task.CompletedTask);

    /// <summary>A node whose loops do not run: the schedules of its code are in the database, and it fires when it is asked to.</summary>
    internal async Task<JobHost> NodeAsync(Action<JobsOptions>? configure = null, string? program = null)
    {
        var host = JobHost.Create(Database, [Note], o =>
        {
            o.RunWorker = false;
            configure?.Invoke(o);
        }, program: program);
        return await host.StartAsync();
    }

    /// <summary>A node with one schedule in its code.</summary>
    internal Task<JobHost> NodeAsync(string name, Trigger trigger, ScheduleOptions? options = null) =>
        NodeAsync(o => o.AddSchedule(name, trigger, () => Note.Call(), options));

    /// <summary>A clock that stands still, so that a test says exactly what has passed.</summary>
    internal async Task FreezeClockAsync(DateTimeOffset at)
    {
        await using var command = Database.DataSource.CreateCommand(
            $"create or replace function keelback.clock() returns timestamptz language sql stable as $$ select '{at.UtcDateTime:O}'::timestamptz $$; " +
            "select pg_advisory_xact_lock(hashtextextended('keelback.partitions', 0)); select keelback.make_run_partitions(2)");
        await command.ExecuteNonQueryAsync();
    }

    internal static Task<int> FireAsync(JobHost node) => node.Services.GetRequiredService<Ticker>().FireAsync(100, default);

    internal static JobSchedules Schedules(JobHost node) => node.Services.CreateScope().ServiceProvider.GetRequiredService<JobSchedules>();

    /// <summary>The ticks of a schedule, oldest first, such as <c>12:00:05 Enqueued</c> or <c>12:00:01-12:00:04 Coalesced 4</c>.</summary>
    internal static async Task<string[]> TicksAsync(JobHost node, string name)
    {
        var ticks = await Schedules(node).GetHistoryAsync(name, 10_000);
        return [.. ticks.Reverse().Select(t => $"{t.At:HH:mm:ss}{(t.Until is { } until ? $"-{until:HH:mm:ss}" : "")} {t.Outcome}{(t.Count == 1 ? "" : $" {t.Count?.ToString() ?? "many"}")}")];
    }

    internal static Task<long> RunsAsync(JobHost node) => node.ScalarAsync<long>("select count(*) from keelback.run");
}
