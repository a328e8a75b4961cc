using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>Schedules of the code and of run time, and how the two meet.</summary>
public sealed class JobSchedulesTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly Trigger s_minutes = Trigger.Cron("* * * * *");

    [Fact]
    public async Task A_schedule_that_was_added_ticks_and_a_removed_one_does_not()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync();
        var schedules = Schedules(node);

        await schedules.AddAsync("s", Trigger.Cron("30 2 * * *", "Europe/Berlin"), Note.Call(new { n = 7 }), new() { Overlap = Overlap.Skip });
        var added = Assert.Single(await schedules.ListAsync());
        await FreezeClockAsync(s_noon.AddDays(1));
        await FireAsync(node);
        await schedules.RemoveAsync("s");
        await FreezeClockAsync(s_noon.AddDays(2));
        await FireAsync(node);

        Assert.Equal(("s", "cron 30 2 * * * (Europe/Berlin)", Overlap.Skip, JobScheduleState.Active, false), (added.Name, added.Trigger.ToString(), added.Options.Overlap, added.State, added.IsFromCode));
        Assert.Equal("2026-03-03T02:30:00+01:00", $"{added.Next:yyyy-MM-dd'T'HH:mm:sszzz}");
        Assert.Equal(["note"], added.Kinds);
        Assert.Equal(
            ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"], // the 29th has no half past two
            added.TicksAfter(new(2026, 3, 28, 12, 0, 0, TimeSpan.Zero)).Take(2).Select(t => $"{t:yyyy-MM-dd'T'HH:mm:sszzz}"));
        Assert.Equal("""{"n": 7}""", await node.ScalarAsync<string>("select string_agg(input::text, ' ') from keelback.run"));
        Assert.Empty(await schedules.ListAsync());
        Assert.Equal(0, await node.ScalarAsync<long>("select count(*) from keelback.tick"));
    }

    [Fact]
    public async Task Paused_it_lets_ticks_pass_and_resumed_it_makes_up_for_none()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All });
        var schedules = Schedules(node);

        await schedules.PauseAsync("s");
        await FreezeClockAsync(s_noon.AddMinutes(5));
        await FireAsync(node);
        var paused = (await schedules.GetAsync("s"))!;
        await using (var restarted = await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All })) Assert.Equal(JobScheduleState.Paused, (await schedules.GetAsync("s"))!.State);
        await schedules.ResumeAsync("s");
        await FreezeClockAsync(s_noon.AddMinutes(7));
        await FireAsync(node);

        Assert.Equal((JobScheduleState.Paused, null), (paused.State, paused.Next));
        Assert.Equal(["12:06:00 Enqueued", "12:07:00 Enqueued"], await TicksAsync(node, "s"));
    }

    [Fact]
    public async Task Run_by_hand_it_keeps_its_ticks()
    {
        await FreezeClockAsync(s_noon.AddSeconds(20));
        await using var node = await NodeAsync(o => o.AddSchedule("s", s_minutes, tick => Note.Call(new { tick.At })));
        await Schedules(node).PauseAsync("s");

        var run = await Schedules(node).RunNowAsync("s");
        await Schedules(node).ResumeAsync("s");
        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);

        Assert.Equal(["12:00:20 ByHand", "12:01:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal(run, (await Schedules(node).GetHistoryAsync("s"))[1].Run);
        Assert.Equal(JobRunState.Ready, (await node.Jobs.GetAsync(run))!.State);
    }

    [Fact]
    public async Task A_new_definition_in_code_takes_over_and_a_restart_of_the_same_changes_nothing()
    {
        await FreezeClockAsync(s_noon);
        await using var old = await NodeAsync("s", Trigger.Every(TimeSpan.FromMinutes(10)));
        await FreezeClockAsync(s_noon.AddMinutes(4));
        await using var same = await NodeAsync("s", Trigger.Every(TimeSpan.FromMinutes(10)));
        var kept = (await Schedules(old).GetAsync("s"))!.Next;

        await using var changed = await NodeAsync("s", Trigger.Every(TimeSpan.FromMinutes(3)), new() { Overlap = Overlap.Skip });

        var schedule = (await Schedules(old).GetAsync("s"))!;
        Assert.Equal(s_noon.AddMinutes(10), kept);
        Assert.Equal((s_noon.AddMinutes(7), Overlap.Skip, false), (schedule.Next, schedule.Options.Overlap, schedule.IsOverridden));
    }

    [Fact]
    public async Task What_ticked_while_nobody_ran_is_caught_up_by_the_new_code()
    {
        await FreezeClockAsync(s_noon);
        await using (await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All }))
        {
        }

        await FreezeClockAsync(s_noon.AddMinutes(3));
        await using var node = await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All, Overlap = Overlap.Allow, CatchUpLimit = 10 });
        await FireAsync(node);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "s"));
    }

    [Fact]
    public async Task What_was_changed_at_run_time_outlives_a_deploy_until_it_is_reset()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", s_minutes);
        var schedules = Schedules(node);

        await schedules.ChangeAsync("s", Trigger.Cron("*/10 * * * *"), Note.Call(new { by = "hand" }), new() { Overlap = Overlap.Skip });
        await using var deployed = await NodeAsync("s", Trigger.Cron("*/7 * * * *"));
        var overridden = (await schedules.GetAsync("s"))!;
        await FreezeClockAsync(s_noon.AddMinutes(10));
        await FireAsync(node);
        await schedules.ResetAsync("s");
        var reset = (await schedules.GetAsync("s"))!;

        Assert.Equal(("cron */10 * * * * (UTC)", Overlap.Skip, true), (overridden.Trigger.ToString(), overridden.Options.Overlap, overridden.IsOverridden));
        Assert.Equal("""{"by": "hand"}""", await node.ScalarAsync<string>("select string_agg(input::text, ' ') from keelback.run"));
        Assert.Equal(("cron */7 * * * * (UTC)", Overlap.Allow, false, s_noon.AddMinutes(14)), (reset.Trigger.ToString(), reset.Options.Overlap, reset.IsOverridden, reset.Next));
    }

    [Fact]
    public async Task A_deploy_changes_the_call_of_a_schedule_whose_times_were_changed_at_run_time()
    {
        await FreezeClockAsync(s_noon);
        await using (var node = await NodeAsync("s", s_minutes)) await Schedules(node).ChangeAsync("s", Trigger.Cron("*/2 * * * *"), options: new() { CatchUp = CatchUp.All });
        var renamed = TestJobs.Kind("note.renamed", _ => Task.CompletedTask);
        await using var deployed = await JobHost.Create(Database, [renamed], o =>
        {
            o.RunWorker = false;
            o.AddSchedule("s", s_minutes, () => renamed.Call());
        }).StartAsync();

        await FreezeClockAsync(s_noon.AddMinutes(5));
        await FireAsync(deployed);

        var schedule = (await Schedules(deployed).GetAsync("s"))!;
        Assert.Equal(["12:02:00 Enqueued", "12:04:00 Enqueued"], await TicksAsync(deployed, "s"));
        Assert.Equal(("cron */2 * * * * (UTC)", true, "note.renamed"), (schedule.Trigger.ToString(), schedule.IsOverridden, string.Join(", ", schedule.Kinds)));
    }

    [Fact]
    public async Task A_schedule_that_the_code_lost_is_retired_and_comes_back_with_it()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", s_minutes);
        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);
        await using var web = await NodeAsync(); // it runs no jobs, and is composed without schedules
        var schedules = Schedules(web);
        Assert.Equal(JobScheduleState.Active, (await schedules.GetAsync("s"))!.State);
        await using var without = await NodeAsync(o => o.RunWorker = true);
        await using var foreign = await NodeAsync(_ => { }, program: "another");

        var retired = (await schedules.GetAsync("s"))!;
        await FreezeClockAsync(s_noon.AddMinutes(5));
        Assert.Equal(0, await FireAsync(node));
        await using var back = await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All });
        var active = (await schedules.GetAsync("s"))!;
        await using var again = await NodeAsync(o => o.RunWorker = true);
        await schedules.RemoveAsync("s");

        Assert.Equal((JobScheduleState.Retired, null, 1), (retired.State, retired.Next, retired.Runs));
        Assert.Equal((JobScheduleState.Active, s_noon.AddMinutes(6)), (active.State, active.Next));
        Assert.Empty(await schedules.ListAsync());
    }

    [Fact]
    public async Task One_that_the_code_lost_is_changed_by_making_it_one_of_run_time_and_not_otherwise()
    {
        await FreezeClockAsync(s_noon);
        await using (await NodeAsync("s", s_minutes))
        {
        }

        await using (await NodeAsync(o => o.RunWorker = true))
        {
        }

        await using var node = await NodeAsync();
        var schedules = Schedules(node);
        var (resumed, changed) = (
            await Assert.ThrowsAsync<KeelbackException>(() => schedules.ResumeAsync("s")),
            await Assert.ThrowsAsync<KeelbackException>(() => schedules.ChangeAsync("s", Trigger.Cron("*/2 * * * *"))));
        await FreezeClockAsync(s_noon.AddMinutes(3));
        await schedules.AddOrChangeAsync("s", s_minutes, Note.Call(new { by = "hand" }));
        var active = (await schedules.GetAsync("s"))!;
        await FreezeClockAsync(s_noon.AddMinutes(4));
        await FireAsync(node);
        await using var deployed = await NodeAsync("s", Trigger.Cron("*/7 * * * *"));

        Assert.Equal(
            "KB1265: Schedule 's' is retired: it was of the app's code, which has it no more, and it does not tick. Make it one of run time with AddOrChangeAsync, or put it back into the code.",
            resumed.Message);
        Assert.Equal(resumed.Message, changed.Message);
        Assert.Equal((JobScheduleState.Active, s_noon.AddMinutes(4), false, false), (active.State, active.Next, active.IsFromCode, active.IsOverridden));
        Assert.Equal("""{"by": "hand"}""", await node.ScalarAsync<string>("select string_agg(input::text, ' ') from keelback.run"));
        Assert.Equal("cron * * * * * (UTC)", (await schedules.GetAsync("s"))!.Trigger.ToString()); // meant as it is, should the code have it again
    }

    [Fact]
    public async Task A_stored_call_of_an_older_version_fires_as_the_code_has_it()
    {
        await FreezeClockAsync(s_noon);
        var before = TestJobs.Kind("pay", _ => Task.CompletedTask).With(new LimitAttribute("customer:{customer}") { Slots = 1 });
        await using (var old = JobHost.Create(Database, [before])) await Schedules(old).AddAsync("s", s_minutes, before.Call(new { customer = 7 }));
        var now = TestJobs.Kind("pay", _ => Task.CompletedTask, d => d.Version = 3)
            .With(new LimitAttribute("customer:{customerId}") { Slots = 1 }, new UpgradeAttribute<CustomerToId>(1), new UpgradeAttribute<WithCurrency>(2));
        await using var node = JobHost.Create(Database, [now]);

        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);

        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal("""{"$version": 3, "currency": "EUR", "customerId": 7}""", await node.ScalarAsync<string>("select input::text from keelback.run"));
        Assert.Equal("customer:7", await node.ScalarAsync<string>("select unnest(limits) from keelback.run"));
    }

    [Fact]
    public async Task A_stored_call_with_secrets_or_another_jobs_result_is_upgraded_when_it_runs()
    {
        await FreezeClockAsync(s_noon);
        static void Key(JobsOptions o) => o.SecretKeys.Add(Convert.ToBase64String(new byte[32]));
        static Task<string> Read(JobCall call) => Task.FromResult($"{call.Get<int>("customerId")} {call.Get<string>("currency")}");
        var (login, pay) = (TestJobs.Kind("login", Read).Secret("customer"), TestJobs.Kind("pay", Read));
        var number = TestJobs.Kind("number", _ => Task.FromResult(8));
        await using (var old = JobHost.Create(Database, [login, pay, number], Key))
        {
            await Schedules(old).AddAsync("secret", s_minutes, login.Call<string>(new { customer = 7 }));
            await Schedules(old).AddAsync("bound", s_minutes, pay.Call<string>(null, new JobBinding("customer", number.Call<int>())));
        }

        JobMetadataAttribute[] upgrades = [new UpgradeAttribute<CustomerToId>(1), new UpgradeAttribute<WithCurrency>(2)];
        var newLogin = TestJobs.Kind("login", Read, d => d.Version = 3).With(upgrades).Secret("customerId");
        var newPay = TestJobs.Kind("pay", Read, d => d.Version = 3).With(upgrades);
        await using var node = await JobHost.Create(Database, [newLogin, newPay, number], Key).StartAsync();

        var (secret, bound) = (await Schedules(node).RunNowAsync("secret"), await Schedules(node).RunNowAsync("bound"));

        Assert.Equal(("7 EUR", "8 EUR"), ((await node.EndOf(secret)).Result<string>(), (await node.EndOf(bound)).Result<string>()));
        Assert.StartsWith("""{"customer": {"$secret": "k:""", await node.ScalarAsync<string>($"select input::text from keelback.run where id = {secret}"));
    }

    internal sealed class CustomerToId : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload)
        {
            payload["customerId"] = payload["customer"]!.DeepClone();
            payload.Remove("customer");
            return payload;
        }
    }

    internal sealed class WithCurrency : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload)
        {
            payload["currency"] = "EUR";
            return payload;
        }
    }

    [Fact]
    public async Task The_secrets_of_a_call_are_stored_encrypted_and_reach_its_runs()
    {
        await FreezeClockAsync(s_noon);
        var login = PayloadTests.Secretive("login", call => Task.FromResult(call.Get<string>("password").Length));
        await using var node = await JobHost.Create(Database, [login], o => o.SecretKeys.Add(Convert.ToBase64String(new byte[32]))).StartAsync();
        await using var keyless = JobHost.Create(Database, [login]);

        await Schedules(node).AddAsync("s", s_minutes, login.Call(new { user = "ann", password = "hunter2" }));
        var noKey = await Assert.ThrowsAsync<KeelbackException>(() => Schedules(keyless).AddAsync("t", s_minutes, login.Call(new { password = "x" })));
        var stored = await node.ScalarAsync<string>("select definition::text from keelback.schedule");
        var run = await node.EndOf(await Schedules(node).RunNowAsync("s"));

        Assert.Contains("\"user\": \"ann\"", stored);
        Assert.DoesNotContain("hunter2", stored);
        Assert.DoesNotContain("hunter2", await node.ScalarAsync<string>("select input::text from keelback.run"));
        Assert.Equal(7, run.Result<int>());
        Assert.StartsWith("KB1277: ", noKey.Message);
    }

    [Fact]
    public async Task A_program_does_not_retire_the_schedules_of_another()
    {
        await using var web = await NodeAsync(o => o.AddSchedule("web", s_minutes, () => Note.Call()), program: "web");
        await using var worker = await NodeAsync(o => o.AddSchedule("worker", s_minutes, () => Note.Call()), program: "worker");
        await Schedules(web).AddAsync("added", s_minutes, Note.Call());
        await using var web2 = await NodeAsync(o => o.AddSchedule("web", s_minutes, () => Note.Call()), program: "web");

        Assert.All(await Schedules(web).ListAsync(), schedule => Assert.Equal(JobScheduleState.Active, schedule.State));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_by_name_with_the_way_out()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("nightly", s_minutes);
        var schedules = Schedules(node);
        async Task<string> Refused(Func<Task> action) => (await Assert.ThrowsAsync<KeelbackException>(action)).Message;

        Assert.Equal("KB1260: There is no schedule 'nigthly'. Did you mean 'nightly'?", await Refused(() => schedules.PauseAsync("nigthly")));
        Assert.Equal("KB1260: There is no schedule 'x'.", await Refused(() => schedules.RunNowAsync("x")));
        Assert.Equal("KB1259: There is a schedule 'nightly' already. Change it, or give the new one another name.", await Refused(() => schedules.AddAsync("nightly", s_minutes, Note.Call())));
        Assert.Equal("KB1261: Schedule 'nightly' is defined in the app's code, which would bring it back. Take it out of the code, or pause it.", await Refused(() => schedules.RemoveAsync("nightly")));
        Assert.Equal(
            "KB1256: Schedule 's' cannot be so: it ends (2026-03-02T11:00:00.0000000+00:00) before it starts (2026-03-02T12:00:00.0000000+00:00).",
            await Refused(() => schedules.AddAsync("s", s_minutes, Note.Call(), new() { Start = s_noon, End = s_noon.AddHours(-1) })));
        Assert.StartsWith("KB1257: Schedule 's' (once at 2026-03-02T11:00:00+00:00) can never fire from 2026-03-02T12:00:00", await Refused(() => schedules.AddAsync("s", Trigger.Once(s_noon.AddHours(-1)), Note.Call())));
        Assert.StartsWith("KB1263: The call of schedule 's' has an EnqueueOptions.Id", await Refused(() => schedules.AddAsync("s", s_minutes, Note.Call().With(new() { Id = Guid.CreateVersion7() }))));
        Assert.StartsWith("KB1207: ", await Refused(() => schedules.AddAsync("s", s_minutes, Note.Call(new { a = "\0" }))));
        await schedules.AddAsync("s", s_minutes, Note.Call());
        Assert.StartsWith("KB1264: Schedule 's' was added at run time", await Refused(() => schedules.ResetAsync("s")));
        Assert.Equal(["nightly", "s"], (await schedules.ListAsync()).Select(s => s.Name));
    }

    [Fact]
    public async Task A_mistake_in_code_keeps_the_app_from_starting()
    {
        async Task<string> Refused(Action<JobsOptions> configure) => (await Assert.ThrowsAsync<KeelbackException>(() => NodeAsync(configure))).Message;
        void Add(JobsOptions o, string name, ScheduleOptions? options = null) => o.AddSchedule(name, s_minutes, () => Note.Call(), options);

        Assert.Equal("KB1258: Two schedules are called 'a'. Give one of them another name.", await Refused(o =>
        {
            Add(o, "a");
            Add(o, "a");
        }));
        Assert.Equal("KB1256: Schedule 'a' cannot be so: there is no day 0 in month 0.", await Refused(o => Add(o, "a", new() { Holidays = new() { Yearly = [new(0, 0)] } })));
        Assert.Equal("KB1256: Schedule 'a' cannot be so: CatchUpLimit (0) must be 1 to 10,000.", await Refused(o => Add(o, "a", new() { CatchUpLimit = 0 })));
        Assert.Equal(
            "KB1257: Schedule 'a' (all of (cron 0 0 1 1 * (UTC); cron 0 0 2 1 * (UTC))) can never fire. Widen its bounds, its holidays or its trigger.",
            await Refused(o => o.AddSchedule("a", Trigger.All(Trigger.Cron("0 0 1 1 *"), Trigger.Cron("0 0 2 1 *")), () => Note.Call())));

        var zoned = Assert.Throws<KeelbackException>(() => new ScheduleAttribute { Every = "1.00:00:00", Zone = "Europe/Berlin" }.ToSchedule(Note));
        Assert.StartsWith("KB1256: Schedule 'note' cannot be so: a rate ticks at multiples of itself since 1970 UTC, in no zone ('Europe/Berlin'). ", zoned.Message);
        var days = Assert.Throws<KeelbackException>(() => new ScheduleAttribute { Every = "24:00:00" }.ToSchedule(Note));
        Assert.Equal("KB1256: Schedule 'note' cannot be so: Every ('24:00:00') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.", days.Message);
    }

    [Fact]
    public async Task A_jobs_attributes_are_schedules_of_its_own()
    {
        await FreezeClockAsync(s_noon);
        static JobKind Kind(params JobMetadataAttribute[] schedules) =>
            new("tidy", typeof(TestJobs), new(), static _ => default) { Metadata = schedules };
        JobHost Node(JobKind kind) => JobHost.Create(Database, [kind], o => o.RunWorker = false);
        await using var node = await Node(Kind(
            new ScheduleAttribute("0 13 * * *") { Zone = "Europe/Berlin", Jitter = "00:00:30", Overlap = Overlap.Skip, MisfireGrace = "01:00:00", CatchUp = CatchUp.All, CatchUpLimit = 7 },
            new ScheduleAttribute { Name = "often", Every = "00:05:00" })).StartAsync();

        await FreezeClockAsync(s_noon.AddMinutes(5));
        await FireAsync(node);

        var (often, tidy) = ((await Schedules(node).GetAsync("often"))!, (await Schedules(node).GetAsync("tidy"))!);
        Assert.Equal(("every 00:05:00, aligned", s_noon.AddMinutes(5)), (often.Trigger.ToString(), often.Last));
        Assert.Equal(("cron 0 13 * * * (Europe/Berlin)", s_noon.AddDays(1)), (tidy.Trigger.ToString(), tidy.Next));
        Assert.Equal(
            new ScheduleOptions { Jitter = TimeSpan.FromSeconds(30), Overlap = Overlap.Skip, MisfireGrace = TimeSpan.FromHours(1), CatchUp = CatchUp.All, CatchUpLimit = 7 }, tidy.Options);
        Assert.Equal("tidy {}", await node.ScalarAsync<string>("select kind || ' ' || input::text from keelback.run"));

        async Task<string> Refused(ScheduleAttribute attribute) => (await Assert.ThrowsAsync<KeelbackException>(() => Node(Kind(attribute)).StartAsync())).Message;
        Assert.Equal("KB1256: Schedule 'tidy' cannot be so: give it a cron expression or Every, one of the two.", await Refused(new()));
        Assert.Equal("KB1256: Schedule 'tidy' cannot be so: Jitter ('5s') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.", await Refused(new("@daily") { Jitter = "5s" }));
        Assert.StartsWith("KB1220: cron '61 * * * *', minute, position 1: ", await Refused(new("61 * * * *")));
    }

    [Fact]
    public async Task A_jobs_attribute_calls_the_version_that_the_code_has()
    {
        await FreezeClockAsync(s_noon);
        var kind = new JobKind("tidy", typeof(TestJobs), new() { Version = 2 }, static _ => default) { Metadata = [new ScheduleAttribute("* * * * *")] };
        await using var node = await JobHost.Create(Database, [kind], o => o.RunWorker = false).StartAsync();

        var run = await Schedules(node).RunNowAsync("tidy");

        Assert.Equal("""{"$version": 2}""", await node.ScalarAsync<string>($"select input::text from keelback.run where id = {run}"));
    }

    [Fact]
    public async Task A_call_that_cannot_be_made_at_start_keeps_no_process_from_starting()
    {
        await FreezeClockAsync(s_noon);
        var isBroken = true;
        void Define(JobsOptions o) => o.AddSchedule("s", s_minutes, () => isBroken ? throw new InvalidOperationException("not yet") : Note.Call());
        await using var node = await NodeAsync(Define);
        var unknown = (await Schedules(node).GetAsync("s"))!;
        isBroken = false;
        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);
        await using (await NodeAsync(Define)) Assert.Equal(["note"], (await Schedules(node).GetAsync("s"))!.Kinds);
        isBroken = true;
        await using var again = await NodeAsync(Define);

        Assert.Empty(unknown.Kinds);
        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal(["note"], (await Schedules(node).GetAsync("s"))!.Kinds);
    }

    [Fact]
    public async Task Added_or_changed_it_is_the_same_however_often()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("coded", s_minutes);
        var schedules = Schedules(node);
        Task Put(string name, Trigger trigger, int n) => schedules.AddOrChangeAsync(name, trigger, Note.Call(new { n }), new() { Overlap = Overlap.Skip });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Schedules(node).AddOrChangeAsync("s", Trigger.Every(TimeSpan.FromMinutes(10)), Note.Call(new { n = 1 }))));
        await FreezeClockAsync(s_noon.AddMinutes(4));
        await Put("s", Trigger.Every(TimeSpan.FromMinutes(10)), n: 2);
        var kept = (await schedules.GetAsync("s"))!;
        await Put("s", Trigger.Every(TimeSpan.FromMinutes(3)), n: 3);
        await Put("coded", Trigger.Every(TimeSpan.FromMinutes(20)), n: 4);
        await FreezeClockAsync(s_noon.AddMinutes(7));
        await FireAsync(node);

        Assert.Equal((s_noon.AddMinutes(10), Overlap.Skip), (kept.Next, kept.Options.Overlap));
        Assert.Equal("""{"n": 3}""", await node.ScalarAsync<string>("select string_agg(input::text, ' ') from keelback.run"));
        var coded = (await schedules.GetAsync("coded"))!;
        Assert.Equal((true, s_noon.AddMinutes(24)), (coded.IsOverridden, coded.Next));
        Assert.StartsWith("KB1257: ", (await Assert.ThrowsAsync<KeelbackException>(() => Put("past", Trigger.Once(s_noon), n: 5))).Message);
    }

    [Fact]
    public async Task Every_kind_of_definition_is_read_back_as_it_was_written()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync();
        Trigger[] triggers =
        [
            Trigger.Cron("H H * * MON", "Europe/Berlin"), Trigger.Every(TimeSpan.FromMilliseconds(1500), aligned: true), Trigger.Once(s_noon.AddDays(1)),
            Trigger.EveryDays(2, new(10, 0)), Trigger.EveryWeeks(2, [DayOfWeek.Sunday], new(10, 0), "Asia/Tokyo", new(2026, 1, 1)), Trigger.EveryMonths(3, -1, new(10, 0, 30)),
            Trigger.Solar(SolarEvent.CivilDawn, 52.5, 13.4),
            Trigger.Any(Trigger.All(Trigger.Cron("0 9 * * *"), Trigger.Cron("0 9 * * FRI")), Trigger.Every(TimeSpan.FromHours(5))),
        ];
        var options = new ScheduleOptions
        {
            Start = s_noon,
            End = s_noon.AddYears(1),
            Jitter = TimeSpan.FromSeconds(1),
            OnHoliday = OnHoliday.NextWorkingDay,
            CatchUpLimit = 5,
            Holidays = new() { Dates = [new(2026, 4, 3)], Weekdays = [DayOfWeek.Sunday], Yearly = [new(12, 25)] },
        };

        for (var i = 0; i < triggers.Length; i++) await Schedules(node).AddAsync($"s{i}", triggers[i], Note.Call(), options);

        var read = await Schedules(node).ListAsync();
        for (var i = 0; i < triggers.Length; i++)
        {
            Assert.Equal(triggers[i].ToString(), read[i].Trigger.ToString());
            Assert.Equal(new TickSource(triggers[i], options, $"s{i}", s_noon).After(s_noon).Take(50), read[i].TicksAfter(s_noon).Take(50));
            Assert.Equal(read[i].Next, read[i].TicksAfter(s_noon).First());
        }
    }

    [Fact]
    public async Task Old_ticks_go_and_the_latest_stay()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", s_minutes, new() { CatchUp = CatchUp.All, CatchUpLimit = 300 });
        await FreezeClockAsync(s_noon.AddMinutes(250));
        await FireAsync(node);
        var retention = node.Services.GetRequiredService<RetentionLoop>();

        await retention.RetireAsync(default);
        var young = await node.ScalarAsync<long>("select count(*) from keelback.tick");
        await FreezeClockAsync(s_noon.AddDays(8));
        await retention.RetireAsync(default);

        Assert.Equal((250, 100), (young, await node.ScalarAsync<long>("select count(*) from keelback.tick")));
        Assert.Equal("16:10:00 Enqueued", (await TicksAsync(node, "s"))[^1]);
    }
}
