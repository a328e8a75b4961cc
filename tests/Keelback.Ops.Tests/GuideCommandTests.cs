using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

/// <summary>What the guides type into a shell, typed.</summary>
public sealed class GuideCommandTests : OpsTest
{
    private const string Failed = "892710366412800001"; // as the guide calls a run that failed ...
    private const string Later = "892710366412800002"; // ... and one that is not due

    private static readonly JobKind s_receipt = TestJobs.Kind("Receipts.Send", _ => throw new InvalidOperationException("Out of paper"), j => j.MaxAttempts = 1);
    private static readonly JobKind s_import = TestJobs.Kind("Imports.File", _ => Task.CompletedTask);
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");

    [Fact]
    public async Task Every_command_of_the_guides_succeeds_one_after_the_other()
    {
        await using var app = await OpsApp.StartAsync(Database, services: Add);
        await app.Services.GetRequiredService<LimitCatalog>().EnsureAllAsync(default); // as a worker does at its start
        var failed = await app.Jobs.EnqueueAsync(s_receipt.Call(new { invoiceId = 5 }));
        var later = await app.Jobs.EnqueueAsync(s_receipt.Call(new { invoiceId = 6 }).With(new() { Delay = TimeSpan.FromDays(1) }));
        await using (var command = app.Db.CreateCommand(
            """
            insert into keelback.worker (id, app, name, queues, started_at, lease_until, info)
            values (17, 'test', 'x', '{}', now(), now() + interval '1 day', '{"concurrency": 10}');
            select setval(pg_get_serial_sequence('keelback.worker', 'id'), 17), setval(pg_get_serial_sequence('keelback.bulk', 'id'), 17, false);
            """)) await command.ExecuteNonQueryAsync();

        var commands = GuideText.Commands().ToList();
        Assert.True(commands.Count >= 30, $"{commands.Count} commands");
        foreach (var (line, arguments) in commands)
        {
            await app.DrainAsync(); // what was opened again has failed again
            await app.CopyAsync();

            var done = await OpsShell.RunAsync(Database, Add, [.. arguments.Select(a => a.Replace(Failed, failed.ToString()).Replace(Later, later.ToString()))]);

            Assert.Equal((line, line.Contains("# exit code 1: ") ? 1 : 0, ""), (line, done.Code, done.Error));
        }

        Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.audit where outcome = 'begun' or outcome like 'failed%'"));
        Assert.Equal("Cancelled", await app.ScalarAsync<string>($"select keelback.state_name(state) from keelback.run where id = {later}"));
        Assert.Equal(1L, await app.ScalarAsync<long>("""select count(*) from keelback.run where input = '{"invoiceId": 7}'"""));
    }

    private static void Add(IServiceCollection services)
    {
        foreach (var kind in new[] { s_receipt, s_import, s_mail }) services.AddJobKind(kind);
        services.Configure<JobsOptions>(o =>
        {
            o.Limits["stripe"] = new(Slots: 5, PerSecond: 10);
            o.AddSchedule("nightly", Trigger.Cron("30 2 * * *"), () => s_mail.Call());
        });
    }
}
