using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class FencingTests : JobsTest
{
    private static readonly JobKind s_job = TestJobs.Kind("job", _ => Task.CompletedTask);

    [Fact]
    public async Task A_run_whose_worker_went_silent_runs_again_elsewhere_and_the_late_write_changes_nothing()
    {
        var frozen = new Gate();
        await using var first = await Host(_ => frozen.PassAsync(CancellationToken.None).ContinueWith(_ => "late", TaskScheduler.Default)).StartAsync();
        using var fenced = new FencedWrites(first);
        var run = await first.Jobs.EnqueueAsync(s_job.Call());
        await frozen.Started();

        first.Worker.Heartbeat.Paused = true;
        await using var second = await Host(_ => Task.FromResult("in time")).StartAsync();
        var ended = await second.EndOf(run);
        first.Worker.Heartbeat.Paused = false;
        frozen.Open();
        await Eventually(() => Task.FromResult(first.Worker.Running == 0 && fenced.Count > 0), "the late write was fenced");

        var after = await second.Jobs.GetAsync(run);
        Assert.Equal(("in time", 2, "in time"), (ended.Result<string>(), ended.Attempt, after!.Result<string>()));
        Assert.Equal(JobAttemptOutcome.Crashed, Assert.Single(await second.Jobs.GetAttemptsAsync(run)).Outcome);
        Assert.Equal(1, fenced.Count);
    }

    [Fact]
    public async Task A_worker_that_lost_its_lease_goes_on_with_the_next_epoch()
    {
        var runs = 0;
        await using var host = await Host(_ => Task.FromResult($"run {++runs}")).StartAsync();
        var before = host.Worker.Identity!.Value;

        await host.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");
        host.Worker.Heartbeat.Beat();
        var ended = await host.EndOf(await host.Jobs.EnqueueAsync(s_job.Call()));

        Assert.Equal(JobRunState.Succeeded, ended.State);
        Assert.Equal(before with { Epoch = before.Epoch + 1 }, host.Worker.Identity!.Value);
    }

    [Fact]
    public async Task A_worker_cancels_its_jobs_before_its_lease_ends_when_the_database_is_away()
    {
        var gate = new Gate();
        await using var host = await Host(async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return "";
        }).StartAsync();
        await host.Jobs.EnqueueAsync(s_job.Call());
        await gate.Started();

        await ExecuteAsync(host, "alter table keelback.worker rename to worker_away");
        await Eventually(() => Task.FromResult(gate.Cancelled > 0), "the job was cancelled");
        var held = host.Worker.Identity;
        await ExecuteAsync(host, "alter table keelback.worker_away rename to worker");

        Assert.Null(held);
        await Eventually(() => Task.FromResult(host.Worker.Identity is not null), "the worker came back");
    }

    [Fact]
    public async Task A_dead_worker_without_a_row_is_swept_too_and_its_death_is_charged_once()
    {
        await using var host = Host(_ => Task.FromResult(""));
        var run = await host.Jobs.EnqueueAsync(s_job.Call());
        await host.ScalarAsync<long>(
            "with c as (insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select run_id, 4711, 1, 1, 0, keelback.clock() from keelback.ready returning 1), " +
            "r as (delete from keelback.ready returning 1) select count(*) from c, r");

        var swept = await host.Rescuer.SweepAsync(default);
        var again = await host.Rescuer.SweepAsync(default);

        Assert.Equal(((0, 1, 0), (0, 0, 0)), (swept, again));
        Assert.Equal("1 1", await host.ScalarAsync<string>($"select attempt || ' ' || crashes from keelback.ready where run_id = {run}"));
    }

    [Fact]
    public async Task What_a_dead_worker_held_runs_before_what_has_waited_since()
    {
        var ran = new List<int>();
        var job = TestJobs.Kind("job", call =>
        {
            ran.Add(call.Get<int>("n"));
            return Task.CompletedTask;
        });
        await using var host = JobHost.Create(Database, [job], o => o.Concurrency = 1);
        foreach (var n in new[] { 1, 2 }) await host.Jobs.EnqueueAsync(job.Call(new { n }));
        await host.ScalarAsync<long>(
            "with c as (insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select run_id, 4711, 1, 1, 0, keelback.clock() from keelback.ready order by seq desc returning 1), " +
            "r as (delete from keelback.ready returning 1) select count(*) from c, r");
        var last = await host.Jobs.EnqueueAsync(job.Call(new { n = 3 }));

        await host.Rescuer.SweepAsync(default);
        await host.StartAsync();
        await host.EndOf(last);

        Assert.Equal([1, 2, 3], ran);
    }

    [Fact]
    public async Task A_run_that_keeps_killing_its_workers_is_quarantined_whatever_its_attempts()
    {
        await using var host = Host(_ => Task.FromResult(""));
        var run = await host.Jobs.EnqueueAsync(s_job.Call(), new() { MaxAttempts = 1000 });
        await host.ScalarAsync<long>(
            "with c as (insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select run_id, 4711, 1, 7, 4, keelback.clock() from keelback.ready returning 1), " +
            "r as (delete from keelback.ready returning 1) select count(*) from c, r");

        var swept = await host.Rescuer.SweepAsync(default);

        Assert.Equal((0, 1, 1), swept);
        var ended = await host.Jobs.GetAsync(run);
        Assert.Equal((JobRunState.Quarantined, 7, "Its worker died in 5 attempts."), (ended!.State, ended.Attempt, ended.Error!.Message));
    }

    [Fact]
    public async Task The_sweep_ends_a_dead_workers_sessions_so_that_nobody_waits_for_their_locks()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.ScalarAsync<long>(
            "with w as (insert into keelback.worker (id, app, name, queues, started_at, lease_until, info) " +
            "values (99, 'test', 'dead', '{}', now(), keelback.clock() - interval '1 s', '{}'), " +
            "(98, 'test', 'live', '{}', now(), keelback.clock() + interval '1 h', '{}') returning 1) select count(*) from w");
        await using var dead = await SessionAsync(host, "keelback:99:1");
        await using var live = await SessionAsync(host, "keelback:98:1");

        var swept = await host.Rescuer.SweepAsync(default);

        Assert.Equal(1, swept.Workers);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => PingAsync(dead));
        await PingAsync(live);
    }

    [Theory]
    [InlineData(typeof(Outcome.Succeeded))]
    [InlineData(typeof(Outcome.Failed))]
    [InlineData(typeof(Outcome.Snoozed))]
    [InlineData(typeof(Outcome.Skipped))]
    [InlineData(typeof(Outcome.Released))]
    public async Task Nothing_that_is_told_of_a_claim_that_was_taken_away_changes_a_row(Type told)
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var late = Assert.Single(await ClaimAsync(host, connection, "job"));
        await ExecuteAsync(host, "delete from keelback.worker");
        await host.Rescuer.SweepAsync(default);
        var now = Assert.Single(await ClaimAsync(host, connection, "job"));

        Outcome outcome = told.Name switch
        {
            "Succeeded" => new Outcome.Succeeded(late, "1"u8.ToArray()),
            "Failed" => new Outcome.Failed(late, new("T", "late"), JobAttemptOutcome.Failed, RetryAfter: null),
            "Snoozed" => new Outcome.Snoozed(late, TimeSpan.Zero),
            "Skipped" => new Outcome.Skipped(late, new("T", "late")),
            _ => new Outcome.Released(late),
        };
        var result = await Exchange.RunAsync(connection, new() { Outcomes = [outcome] }, prepare: false, default);

        Assert.Empty(result.Written);
        Assert.NotEqual(late.Token, now.Token);
        Assert.Equal($"0 {now.Token} 1 0", await host.ScalarAsync<string>(
            "select r.state || ' ' || c.token || ' ' || (select count(*) from keelback.attempt) || ' ' || (select count(*) from keelback.ready) from keelback.run r join keelback.claim c on c.run_id = r.id"));
    }

    [Fact]
    public async Task Who_does_not_hold_its_lease_claims_nothing()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));

        var older = await ClaimAsync(host, connection, worker with { Epoch = worker.Epoch - 1 }, "job");
        var gone = await ClaimAsync(host, connection, worker with { Id = worker.Id + 1 }, "job");
        await ExecuteAsync(host, "update keelback.worker set lease_until = keelback.clock() - interval '1 s'");
        var late = await ClaimAsync(host, connection, worker, "job");
        await ExecuteAsync(host, "update keelback.worker set lease_until = keelback.clock() + interval '1 h'");
        var own = await ClaimAsync(host, connection, worker, "job");

        Assert.Equal((0, 0, 0, 1), (older.Count, gone.Count, late.Count, own.Count));
    }

    [Fact]
    public async Task What_a_living_worker_holds_is_left_to_it_however_long_it_takes()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "job"));
        await ExecuteAsync(host, "update keelback.claim set at = keelback.clock() - interval '1 h'");

        await host.Rescuer.SweepAsync(default);

        Assert.Equal(claim.Token, await host.ScalarAsync<long>("select token from keelback.claim"));
    }

    [Fact]
    public async Task What_a_worker_held_in_an_earlier_epoch_is_taken_from_it_although_it_is_back()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        Assert.Single(await ClaimAsync(host, connection, "job"));
        await ExecuteAsync(host, "update keelback.worker set epoch = epoch + 1");

        await host.Rescuer.SweepAsync(default);

        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
    }

    [Fact]
    public async Task A_run_that_ended_otherwise_is_not_ended_again_by_whoever_holds_it_still()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "job"));
        await ExecuteAsync(host, "update keelback.run set state = 3, finished_at = keelback.clock()");

        var result = await Exchange.RunAsync(connection, new() { Outcomes = [new Outcome.Succeeded(claim, "1"u8.ToArray())] }, prepare: false, default);

        Assert.Empty(result.Written);
        Assert.Equal("3 0", await host.ScalarAsync<string>("select state || ' ' || (select count(*) from keelback.claim) from keelback.run where output is null"));
    }

    [Fact]
    public async Task An_attempt_whose_lease_was_lost_before_it_began_does_not_begin()
    {
        var began = 0;
        await using var host = Host(_ => Task.FromResult($"{++began}"));
        await host.Jobs.EnqueueAsync(s_job.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "job"));
        using var job = new RunningJob(claim, TimeProvider.System);

        job.Stop(StopReason.Released);
        var outcome = await host.Services.GetRequiredService<JobRunner>().RunAsync(job, new WorkerIdentity(1, 1));

        Assert.Equal((new Outcome.Released(claim), 0), (outcome, began));
    }

    [Fact]
    public async Task What_a_worker_holds_without_knowing_of_it_goes_back_with_its_attempt()
    {
        await using var host = Host(_ => Task.FromResult(""));
        await host.Jobs.EnqueueManyAsync([s_job.Call(), s_job.Call(), s_job.Call()]);
        await using var connection = await host.Db.OpenConnectionAsync();
        var claims = await ClaimAsync(host, connection, "job");
        var worker = new WorkerIdentity(await host.ScalarAsync<int>("select id from keelback.worker"), 1);

        await Exchange.RunAsync(connection, new() { Outcomes = [], Known = (worker, [claims[1].Token]) }, prepare: false, default);

        Assert.Equal(claims[1].RunId, await host.ScalarAsync<long>("select run_id from keelback.claim"));
        Assert.Equal("0 0 2", await host.ScalarAsync<string>("select max(attempt) || ' ' || max(crashes) || ' ' || count(*) from keelback.ready"));
    }

    // Long enough for a machine that is busy with other tests.
    private JobHost Host(Func<JobCall, Task<string>> body) => JobHost.Create(Database, [TestJobs.Kind("job", body)], o =>
    {
        o.Lease = TimeSpan.FromSeconds(3);
        o.Heartbeat = TimeSpan.FromSeconds(1);
    });

    private static async Task<NpgsqlConnection> SessionAsync(JobHost host, string name)
    {
        var connection = await host.Db.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"begin; select set_config('application_name', '{name}', true)", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private static async Task ExecuteAsync(JobHost host, string sql)
    {
        await using var command = host.Db.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task PingAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select 1", connection);
        await command.ExecuteScalarAsync();
    }
}
