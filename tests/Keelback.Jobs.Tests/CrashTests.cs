using System.Diagnostics;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>Whom the death of a worker is charged to, and by whose rules.</summary>
public sealed class CrashTests : JobsTest
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(15);

    private static readonly JobKind s_slow = TestJobs.Kind("slow", _ => Task.Delay(TimeSpan.FromSeconds(4))); // longer than a killer would wait, could it run beside it
    private static readonly JobKind s_killer = TestJobs.Kind("killer", _ =>
    {
        Process.GetCurrentProcess().Kill();
        return Task.CompletedTask;
    });

    [Fact]
    public async Task A_death_is_charged_to_what_had_a_slot_and_to_nothing_that_waited()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", _ => gate.PassAsync(CancellationToken.None));
        await using var worker = await JobHost.Create(Database, [slow], o => o.Concurrency = 3).StartAsync();
        await worker.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => slow.Call()));
        for (var i = 0; i < 3; i++) await gate.Started();

        worker.Worker.Heartbeat.Paused = true;
        await worker.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");

        // By any node: this one goes on sweeping too.
        await Eventually(async () => await worker.ScalarAsync<long>("select count(*) from keelback.claim") == 0, "the claims went back");
        Assert.Equal("0 0 17, 1 1 3", await worker.ScalarAsync<string>(
            "select string_agg(format('%s %s %s', attempt, crashes, count), ', ' order by attempt) " +
            "from (select attempt, crashes, count(*) from keelback.ready group by 1, 2) r"));
        gate.Open();
    }

    [Fact]
    public async Task A_run_that_kills_its_workers_takes_an_innocent_one_with_it_twice_and_is_quarantined_alone()
    {
        await using var host = Host(Database.ConnectionString);
        var innocent = await host.Jobs.EnqueueAsync(s_slow.Call());
        var guilty = await host.Jobs.EnqueueAsync(s_killer.Call());

        for (var deaths = 0; deaths < 3; deaths++)
        {
            using var worker = Process.Start(new ProcessStartInfo("dotnet", [typeof(CrashTests).Assembly.Location, "killer", Database.ConnectionString]) { RedirectStandardInput = true })!;
            using var patience = new CancellationTokenSource(Patience);
            await worker.WaitForExitAsync(patience.Token);

            Clock.Advance(s_lease);
            await host.Rescuer.SweepAsync(default);
            Clock.Advance(TimeSpan.FromSeconds(2)); // and what a second death waits for
            await FireAsync(host);
        }

        var (survivor, killer) = ((await host.Jobs.GetAsync(innocent))!, (await host.Jobs.GetAsync(guilty))!);
        Assert.Equal((JobRunState.Succeeded, 3), (survivor.State, survivor.Attempt));
        Assert.Equal((JobRunState.Quarantined, 3), (killer.State, killer.Attempt));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("shop")]
    public async Task Suspects_keep_their_place_but_for_one_and_hold_up_nothing_else(string? tenant)
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [job], o => o.Limits["few"] = new(2));
        await host.Jobs.EnqueueManyAsync([.. Enumerable.Range(0, 3).Select(_ => job.Call().With(new() { Limits = ["few"], Tenant = tenant }))]);
        await host.ScalarAsync<long>("with r as (update keelback.ready set attempt = 3, crashes = 2 returning 1) select count(*) from r");
        var plain = await host.Jobs.EnqueueManyAsync([job.Call().With(new() { Tenant = tenant }), job.Call().With(new() { Tenant = "other" })]);
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));

        var beside = await AskAsync(host, connection, worker, takesSuspect: false);
        var first = await AskAsync(host, connection, worker, takesSuspect: true);

        Assert.Equal(plain, beside.Select(claim => claim.RunId).Order());
        Assert.Equal((4, 2), (Assert.Single(first).Attempt, first[0].Crashes));
        Assert.Equal("2 3 3 2 1 0", await host.ScalarAsync<string>(
            "select format('%s %s %s %s %s %s', count(*), min(attempt), max(attempt), min(crashes), (select count(*) from keelback.slot), (select count(*) from keelback.timer)) from keelback.ready"));
    }

    private static async Task<List<Claim>> AskAsync(JobHost host, NpgsqlConnection connection, WorkerIdentity worker, bool takesSuspect)
    {
        var queue = await host.ScalarAsync<short>("select id from keelback.queue where name = 'default'");
        var claim = new ClaimRequest([(short)-queue, queue], [4, 4], [long.MinValue, long.MinValue], 10, worker, "test", ["job"])
        {
            IsShared = true,
            Tenants = [null, null],
            TakesSuspect = takesSuspect,
        };
        return (await Exchange.RunAsync(connection, new() { Outcomes = [], Claim = claim }, prepare: false, default)).Claimed.Claims;
    }

    [Fact]
    public async Task A_clock_that_goes_back_by_an_hour_keeps_nothing_from_coming_back_for_an_hour()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [job]);
        await ClockAsync(host, 3600);
        await using var connection = await host.Db.OpenConnectionAsync();
        var lease = TimeSpan.FromSeconds(30);
        var (dead, alive) = (WorkerRegistry.Register(connection, new("test", "dead", [], "{}"), lease), WorkerRegistry.Register(connection, new("test", "alive", [], "{}"), lease));

        await ClockAsync(host, 0);
        var back = await host.Rescuer.SweepAsync(default);
        await ClockAsync(host, 29);
        Assert.True(WorkerRegistry.Renew(connection, alive, lease));
        await ClockAsync(host, 40);
        var soon = await host.Rescuer.SweepAsync(default);

        Assert.Equal((0, 1), (back.Workers, soon.Workers));
        Assert.Equal(alive.Id, await host.ScalarAsync<int>("select id from keelback.worker"));
        Assert.NotEqual(alive, dead);
    }

    [Fact]
    public async Task A_clock_that_leaps_ahead_ends_no_lease_before_its_holder_could_renew_it()
    {
        await using var host = JobHost.Create(Database, [], clock: Clock);
        await using var connection = await host.Db.OpenConnectionAsync();
        var lease = TimeSpan.FromSeconds(30);
        var alive = WorkerRegistry.Register(connection, new("test", "alive", [], "{}"), lease);
        WorkerRegistry.Register(connection, new("test", "dead", [], "{}"), lease);

        await host.Rescuer.LookAsync(default);
        await ClockAsync(host, 3600);
        await host.Rescuer.LookAsync(default);
        var kept = await host.ScalarAsync<long>("select count(*) from keelback.worker");
        Assert.True(WorkerRegistry.Renew(connection, alive, lease));
        Clock.Advance(TimeSpan.FromSeconds(10)); // a heartbeat and a look
        await host.Rescuer.LookAsync(default);

        Assert.Equal((2, alive.Id), (kept, await host.ScalarAsync<int>("select id from keelback.worker")));
    }

    private static Task<long> ClockAsync(JobHost host, int seconds) => host.ScalarAsync<long>(
        $"with gone as (delete from keelback.clock_offset) insert into keelback.clock_offset select make_interval(secs => {seconds}) returning 1::bigint");

    [Fact]
    public async Task Crashes_are_judged_by_the_apps_own_limit_whoever_sweeps()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask);
        await using var strict = JobHost.Create(Database, [job], o => o.CrashLimit = 1, app: "strict");
        await using var lenient = JobHost.Create(Database, [job], o => o.CrashLimit = 5, app: "lenient");
        var run = await lenient.Jobs.EnqueueAsync(job.Call());
        await HoldAllAsync(lenient, new(4711, 1));

        var foreign = await strict.Rescuer.SweepAsync(default);
        var own = await lenient.Rescuer.SweepAsync(default);

        Assert.Equal(((0, 0, 0), (0, 1, 0)), (foreign, own));
        Assert.Equal(JobRunState.Ready, (await lenient.Jobs.GetAsync(run))!.State);
    }

    [Fact]
    public async Task The_retry_of_an_attempt_that_overran_waits_as_its_own_app_says()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask, defaults => defaults.Timeout = "00:01:00");
        await using var hasty = JobHost.Create(Database, [job], o => o.RetryDelay = TimeSpan.FromMilliseconds(1), app: "hasty");
        await using var patient = JobHost.Create(Database, [job], o => o.RetryDelay = o.MaxRetryDelay = TimeSpan.FromDays(7), app: "patient");
        var run = await patient.Jobs.EnqueueAsync(job.Call());
        await using var connection = await patient.Db.OpenConnectionAsync();
        var worker = WorkerRegistry.Register(connection, new("patient", "worker", [], "{}"), s_lease);
        await HoldAllAsync(patient, worker);
        await patient.ScalarAsync<long>(
            "with t as (insert into keelback.timer (at, run_id, what, attempt) select at + '65 s', run_id, 1, attempt from keelback.claim returning 1) select count(*) from t");
        Clock.Advance(TimeSpan.FromMinutes(2));

        var foreign = await FireAsync(hasty);
        var next = await UntilNextAsync(hasty);
        var silent = await FireAsync(patient);
        Assert.True(WorkerRegistry.Renew(connection, worker, s_lease));
        var own = await FireAsync(patient);

        Assert.Equal((0, null, 0, 1), (foreign, next, silent, own)); // one that says nothing may be dead, which the sweep will tell
        var attempt = Assert.Single(await patient.Jobs.GetAttemptsAsync(run));
        Assert.InRange(attempt.RetryAt!.Value - attempt.EndedAt, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)); // full jitter, so not the bound itself
    }

    /// <summary>Works until its input ends, or a job kills it.</summary>
    internal static async Task ServeAsync(string connection)
    {
        await using var host = Host(connection);
        await host.StartAsync();
        await Console.In.ReadLineAsync();
    }

    private static JobHost Host(string connection) => JobHost.Create(connection, [s_slow, s_killer], o => o.CrashLimit = 3);

    // As if this worker had claimed what is ready.
    private static Task<long> HoldAllAsync(JobHost host, WorkerIdentity worker) => host.ScalarAsync<long>(
        $"with c as (insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select run_id, {worker.Id}, {worker.Epoch}, 1, 0, keelback.clock() from keelback.ready returning 1), " +
        "r as (delete from keelback.ready returning 1) select count(*) from c, r");

    private static async Task<int> FireAsync(JobHost host)
    {
        await using var connection = await host.Db.OpenConnectionAsync();
        var fired = await TimerLoop.FireAsync(connection, App(host), host.Services.GetRequiredService<RetryRules>(), default);
        return fired.TimedOut.Count;
    }

    private static async Task<TimeSpan?> UntilNextAsync(JobHost host)
    {
        await using var connection = await host.Db.OpenConnectionAsync();
        return await TimerStatement.UntilNextAsync(connection, App(host), [], default);
    }

    private static string App(JobHost host) => host.Services.GetRequiredService<QueueCatalog>().App;
}
