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
    public async Task A_vacuum_that_takes_long_is_not_warned_of_but_what_it_waits_for()
    {
        await using var app = await OpsApp.OpenAsync(Database, ops: o => o.WarnTransaction = TimeSpan.FromTicks(1));
        await using (var command = app.Db.CreateCommand("create table pinned as select n from generate_series(1, 10) n")) await command.ExecuteNonQueryAsync();
        while (await app.ScalarAsync<bool>( // a snapshot from before the table would keep its rows from being frozen
            "select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and age(backend_xmin) >= (select age(xmin) from pinned limit 1))"))
        {
        }

        await using var reader = await app.Db.OpenConnectionAsync();
        await using var vacuum = await app.Db.OpenConnectionAsync();
        await using var transaction = await reader.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("declare c cursor for select n from pinned; fetch 1 from c", reader)) await command.ExecuteNonQueryAsync();

        // It waits until nobody has the table's only page in use any more.
        await using var freeze = new NpgsqlCommand("vacuum (freeze) pinned", vacuum);
        var vacuumed = freeze.ExecuteNonQueryAsync();
        while (!await app.ScalarAsync<bool>($"select exists (select from pg_stat_activity where pid = {vacuum.ProcessID} and wait_event_type = 'BufferPin')"))
            Assert.False(vacuumed.IsCompleted);
        await LookAsync(app);

        var warnings = await app.PageAsync("/ops/jobs/api/health");
        await transaction.RollbackAsync();
        await vacuumed;
        Assert.Contains($"pg_terminate_backend({reader.ProcessID})", warnings);
        Assert.DoesNotContain($"Session {vacuum.ProcessID} ", warnings);
    }

    /// <summary>None of these can be had at will, so the session sees views of the test's own in place of PostgreSQL's.</summary>
    [Fact]
    public async Task Prepared_transactions_slots_and_standbys_that_hold_back_the_cleaning_are_warned_of_and_no_autovacuum_is()
    {
        var clock = new TestClock(Database.DataSource);
        var path = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { SearchPath = "seen, pg_catalog" }.ConnectionString;
        await using var app = await OpsApp.StartAsync(Database, clock: clock, services: s => s.AddSingleton(NpgsqlDataSource.Create(path)));
        await using (var command = Database.DataSource.CreateCommand(
            """
            create schema seen;
            create view seen.pg_prepared_xacts as
                select gid, 'bob'::name as owner, clock_timestamp() - age as prepared, current_database() as database, pg_current_xact_id()::xid as transaction
                from (values ('o''clock', interval '2 hours'), ('fresh', interval '1 second')) v (gid, age);
            create table seen.slot as
                select * from (values ('gone', false, 'reserved', '3'::xid), ('lost', false, 'lost', '3'), ('logical', false, null, null), ('moving', true, null, '3')) v (name, active, wal_status, needs);
            create view seen.pg_replication_slots as select name::name as slot_name, active, wal_status, needs as xmin from seen.slot;
            create table seen.pg_stat_replication as select 'berlin'::text as application_name, 17 as pid, '3'::xid as backend_xmin;
            create view seen.pg_stat_activity as
                select a.pid, a.leader_pid, a.application_name, a.usename, a.state, a.xact_start - interval '1 hour' * (a.application_name = 'cleaner')::int as xact_start, a.backend_xmin, a.backend_xid, a.datname,
                    case when a.application_name = 'cleaner' then 'autovacuum worker' else a.backend_type end as backend_type
                from pg_catalog.pg_stat_activity a
            """)) await command.ExecuteNonQueryAsync();
        await using var cleaner = await NpgsqlDataSource.Create(Database.ConnectionString + ";Application Name=cleaner").OpenConnectionAsync();
        await using var cleaning = await cleaner.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var command = new NpgsqlCommand("select pg_current_xact_id()", cleaner)) await command.ExecuteNonQueryAsync();

        await LookAsync(app);
        var first = await WarningsAsync();
        clock.Advance(TimeSpan.FromMinutes(2));
        await using (var command = Database.DataSource.CreateCommand("update seen.slot set needs = '4' where name = 'moving'")) await command.ExecuteNonQueryAsync();
        await LookAsync(app);
        var later = await WarningsAsync();
        await using (var command = Database.DataSource.CreateCommand("delete from seen.slot; delete from seen.pg_stat_replication")) await command.ExecuteNonQueryAsync();
        await LookAsync(app);

        Assert.Equal("prepared:o'clock", first);
        Assert.Equal("prepared:o'clock, slot:gone, standby:berlin", later);
        Assert.Equal("prepared:o'clock", await WarningsAsync());
        Assert.Contains(app.Log, line => line.Contains("has waited for its second phase for 2 h") && line.Contains("rollback prepared 'o''clock', or commit prepared."));
        Assert.Contains(app.Log, line => line.Contains("Replication slot 'gone' has kept every row that died in the last 2 min") && line.Contains("pg_drop_replication_slot('gone')"));
        Assert.Contains(app.Log, line => line.Contains("Standby 'berlin' has kept") && line.Contains("hot_standby_feedback"));

        Task<string> WarningsAsync() => app.ScalarAsync<string>("select coalesce(string_agg(key, ', ' order by key), '') from keelback.warning");
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
