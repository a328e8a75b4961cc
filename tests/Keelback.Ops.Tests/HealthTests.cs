using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TestJobs = Keelback.Jobs.Tests.TestJobs;

namespace Keelback.Ops.Tests;

public sealed class HealthTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");

    [Fact]
    public async Task A_transaction_that_holds_back_the_cleaning_is_named_by_its_pid_until_it_ends()
    {
        await using var app = await OpsApp.OpenAsync(Database, ops: o => o.WarnTransaction = TimeSpan.FromTicks(1));
        await using var connection = await app.Db.OpenConnectionAsync();
        int pid;
        await using (var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead))
        {
            await using var command = new NpgsqlCommand("select pg_backend_pid()", connection, transaction);
            pid = (int)(await command.ExecuteScalarAsync())!;
            await LookAsync(app);

            Assert.Contains($"Session {pid} ", await app.PageAsync("/ops/jobs"));
            Assert.Contains(app.Log, line => line.StartsWith("1702 ") && line.Contains($"pg_terminate_backend({pid})"));
            Assert.Contains("\"jobs\":\"Degraded\"", await app.PageAsync("/health/ready"));
            await transaction.RollbackAsync();
        }

        await LookAsync(app);

        Assert.DoesNotContain("Session ", await app.PageAsync("/ops/jobs"));
        Assert.Contains(app.Log, line => line.StartsWith("1703 ") && line.Contains($"Session {pid} "));
        Assert.Contains("\"jobs\":\"Healthy\"", await app.PageAsync("/health/ready"));
    }

    [Fact]
    public async Task A_queue_that_no_worker_takes_is_warned_of()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        await app.Jobs.EnqueueAsync(s_mail.Call());

        await LookAsync(app);
        Assert.Contains("1 run waits in queue &#x27;mail&#x27;, and no live worker takes it.", await app.PageAsync("/ops/jobs"));
        await using (var command = app.Db.CreateCommand(
            "insert into keelback.worker (app, name, queues, started_at, lease_until, info) values ('test', 'x', '{mail}', now(), now() + interval '1 hour', '{}')"))
            await command.ExecuteNonQueryAsync();
        await LookAsync(app);

        Assert.DoesNotContain("no live worker takes it", await app.PageAsync("/ops/jobs"));
    }

    [Fact]
    public async Task A_worker_whose_lease_is_over_is_counted_no_longer_nor_is_what_it_ran()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await app.Jobs.EnqueueManyAsync([s_mail.Call(), s_mail.Call()]);
        await using (var command = app.Db.CreateCommand(
            """
            with w as (
                insert into keelback.worker (app, name, queues, started_at, lease_until, info)
                values ('test', 'x', '{}', now(), now() + interval '15 s', '{"concurrency": 10}') returning id, epoch
            ), taken as (
                delete from keelback.ready where seq = (select min(seq) from keelback.ready) returning run_id
            )
            insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select run_id, id, epoch, 1, 0, now() from taken, w
            """)) await command.ExecuteNonQueryAsync();
        await LookAsync(app);
        var before = await app.PageAsync("/metrics");

        clock.Advance(TimeSpan.FromSeconds(16));
        await LookAsync(app);
        var after = await app.PageAsync("/metrics");

        Assert.Contains("keelback_workers 1\n", before);
        Assert.Contains("keelback_queue_running{queue=\"mail\"} 1\n", before);
        Assert.Contains("keelback_workers 0\n", after);
        Assert.Contains("keelback_queue_running{queue=\"mail\"} 0\n", after);
        Assert.Contains("0<small> / 0</small></b>slots busy", await app.PageAsync("/ops/jobs"));
        Assert.Contains("and no live worker takes it", await app.PageAsync("/ops/jobs/api/health"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_agents_work_in_a_process_that_runs_no_jobs_unless_it_is_told_not_to(bool run)
    {
        await using var app = await OpsApp.OpenAsync(Database, worker: false, ops: o => o.RunAgents = run);

        Assert.All([typeof(SearchAgent), typeof(QueueLooker), typeof(HealthWatch), typeof(BulkAgent), typeof(Tidier)],
            agent => Assert.Equal(run, ((BackgroundService)app.Services.GetRequiredService(agent)).ExecuteTask is not null));
    }

    [Fact]
    public async Task A_warning_that_nobody_has_seen_again_for_a_minute_is_told_no_longer()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await app.Jobs.EnqueueAsync(s_mail.Call());
        await LookAsync(app);
        var seen = await app.PageAsync("/ops/jobs/api/health");

        clock.Advance(TimeSpan.FromSeconds(61));
        var old = await app.PageAsync("/ops/jobs/api/health");
        await LookAsync(app);

        Assert.Contains("unserved:mail", seen);
        Assert.Equal("{\"warnings\":[]}", old);
        Assert.Contains("unserved:mail", await app.PageAsync("/ops/jobs/api/health"));
        Assert.Equal(2, app.Log.Count(line => line.StartsWith("1702 ")));
        Assert.True(await app.ScalarAsync<bool>("select since > keelback.clock() - interval '1 minute' from keelback.warning"));
    }

    [Fact]
    public async Task A_run_that_could_start_long_ago_is_warned_of()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await app.Jobs.EnqueueAsync(s_mail.Call());
        await using (var command = app.Db.CreateCommand(
            "insert into keelback.worker (app, name, queues, started_at, lease_until, info) values ('test', 'x', '{}', now(), now() + interval '1 day', '{}')"))
            await command.ExecuteNonQueryAsync();
        await LookAsync(app);
        var before = await app.PageAsync("/ops/jobs/api/health");

        clock.Advance(TimeSpan.FromMinutes(6));
        await LookAsync(app);

        Assert.Equal("{\"warnings\":[]}", before);
        Assert.Contains("The oldest run in queue 'mail' could have started 6 min", await app.PageAsync("/ops/jobs/api/health"));
    }

    [Fact]
    public async Task A_schedule_that_no_node_fires_is_warned_of()
    {
        var clock = new TestClock(Database.DataSource);
        var gone = TestJobs.Kind("mail.gone", _ => Task.CompletedTask);
        await using (var old = await OpsApp.OpenAsync(Database, [gone], clock))
        await using (var scope = old.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<JobSchedules>().AddAsync("nightly", Trigger.Every(TimeSpan.FromMinutes(1)), gone.Call());
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await LookAsync(app);
        var before = await app.PageAsync("/ops/jobs/api/health");

        clock.Advance(TimeSpan.FromMinutes(7));
        await LookAsync(app);
        var late = await app.PageAsync("/ops/jobs/api/health");
        await using (var scope = app.Services.CreateAsyncScope()) await scope.ServiceProvider.GetRequiredService<JobSchedules>().PauseAsync("nightly");
        await LookAsync(app);

        Assert.Equal("{\"warnings\":[]}", before);
        Assert.Contains("Schedule 'nightly' was due 6 min", late);
        Assert.Contains("and no node fires it: none that runs jobs knows mail.gone. Deploy the code, or change or pause the schedule.", late);
        Assert.Equal("{\"warnings\":[]}", await app.PageAsync("/ops/jobs/api/health"));
    }

    [Fact]
    public async Task Dead_rows_among_the_ready_runs_are_warned_of()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], ops: o => o.WarnDeadRows = 50);
        await using (var command = app.Db.CreateCommand("alter table keelback.ready set (autovacuum_enabled = off)")) await command.ExecuteNonQueryAsync();
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 100).Select(_ => s_mail.Call()));
        await using (var connection = await app.Db.OpenConnectionAsync())
        await using (var command = new NpgsqlCommand("delete from keelback.ready; select pg_stat_force_next_flush()", connection)) await command.ExecuteNonQueryAsync();

        await LookAsync(app);

        Assert.Contains("keelback.ready holds 100 dead rows, last cleaned up never.", await app.PageAsync("/ops/jobs/api/health"));
    }

    [Fact]
    public async Task Only_one_node_looks_at_a_time()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var watch = app.Services.GetRequiredService<HealthWatch>();

        var looks = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => watch.LookAsync(default)));

        Assert.Equal(1, looks.Count(looked => looked));
    }

    private static async Task LookAsync(OpsApp app)
    {
        await using (var command = app.Db.CreateCommand("delete from keelback.turn")) await command.ExecuteNonQueryAsync();
        Assert.True(await app.Services.GetRequiredService<QueueLooker>().LookAsync(default));
        Assert.True(await app.Services.GetRequiredService<HealthWatch>().LookAsync(default));
    }
}
