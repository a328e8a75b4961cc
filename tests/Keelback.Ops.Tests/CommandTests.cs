using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using TestJobs = Keelback.Jobs.Tests.TestJobs;

namespace Keelback.Ops.Tests;

public sealed class CommandTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");
    private static readonly JobKind s_bad = TestJobs.Kind("import.rows", _ => throw new InvalidOperationException("Out of paper\n\u001b[2J"), j => j.MaxAttempts = 1);
    private static readonly JobKind s_pay = TestJobs.Kind("pay", _ => Task.CompletedTask).With(new LimitAttribute("stripe") { Slots = 5, PerSecond = 10 });

    [Fact]
    public async Task Runs_are_listed_and_shown_as_lines_or_json()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail, s_bad]);
        var mail = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada" }));
        var bad = await app.Jobs.EnqueueAsync(s_bad.Call());
        await app.DrainAsync();
        await app.CopyAsync();

        var list = await RunAsync("jobs", "list", "--state", "failed");
        var json = await RunAsync("jobs", "list", "--kind", "mail.send", "--json");
        var show = await RunAsync("jobs", "show", mail.ToString());

        Assert.Equal(0, list.Code);
        Assert.Matches($@"RUN +STATE +KIND +QUEUE +ATTEMPT +ENQUEUED +ERROR\n{bad} +failed +import.rows +default +1/1 .* ago +Out of paper\n", list.Out);
        Assert.DoesNotContain('\u001b', list.Out);
        using var document = JsonDocument.Parse(json.Out);
        Assert.Equal(mail.ToString(), document.RootElement.GetProperty("runs")[0].GetProperty("id").GetString());
        Assert.Contains("\"to\": \"ada\"", show.Out);
    }

    [Fact]
    public async Task An_action_is_done_and_audited()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call());

        var paused = await RunAsync("jobs", "queues", "pause", "mail");
        var copied = await RunAsync("jobs", "copy", run.ToString(), "--arguments", """{"to": "bob"}""");
        var cancelled = await RunAsync("jobs", "cancel", run.ToString());
        var audit = await RunAsync("jobs", "audit");

        Assert.Equal([(0, "paused\n"), (0, "cancelled\n")], [(paused.Code, paused.Out), (cancelled.Code, cancelled.Out)]);
        Assert.StartsWith("enqueued run ", copied.Out);
        Assert.Equal(3, audit.Out.Split("  cli  ").Length - 1);
        Assert.Equal(2L, await app.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task Whatever_a_button_does_a_command_does_too()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail, s_bad]);
        await app.Jobs.EnqueueAsync(s_mail.Call());
        var bad = await app.Jobs.EnqueueAsync(s_bad.Call());
        await app.DrainAsync();
        await AddScheduleAsync(app);

        foreach (var (command, outcome) in new[]
        {
            ($"retry {bad}", "open again"), ($"cancel {bad} --graph", "1 run cancelled"), ($"retry {bad} --graph", "1 run open again"), ($"revoke run {bad}", "cancelled"),
            ("queues slots mail 5", "5 at once"), ("queues slots mail none", "no limit"), ("queues resume mail", "was not paused"),
            ("workers pause all", "asked to pause"), ("workers scale all 20", "asked for 20 at once"), ("workers resume all", "asked to resume"), ("workers stop all", "asked to stop"),
            ("schedules pause nightly", "paused"), ("schedules resume nightly", "resumed"), ("schedules run nightly", "enqueued run "),
            ("revoke tag import:7 --lasting 2h --reason Broken", "revoked for 2 h 0 min"), ("revoke kind mail.send", "revoked"), ("allow kind mail.send", "allowed again"),
            ("revoke kind mail.to-come --unknown", "revoked"),
        })
        {
            var done = await RunAsync(["jobs", .. command.Split(' ')]);
            Assert.Equal((0, ""), (done.Code, done.Error));
            Assert.StartsWith(outcome, done.Out);
        }

        var changed = await RunAsync("jobs", "schedules", "change", "nightly", "0 3 * * *", "--zone", "Europe/Berlin");
        var schedules = await RunAsync("jobs", "schedules");
        var one = await RunAsync("jobs", "schedules", "show", "nightly");
        var revocations = await RunAsync("jobs", "revocations");
        Assert.Equal("ticks cron 0 3 * * * (Europe/Berlin)\n", changed.Out);
        Assert.Matches(@"nightly +active +cron 0 3 \* \* \* \(Europe/Berlin\) +mail\.send ", schedules.Out);
        Assert.Equal(5, one.Out.Split('\n').Count(line => line.StartsWith("next ", StringComparison.Ordinal)));
        Assert.Contains("by hand", one.Out);
        Assert.Matches(@"tag +import:7 .*Broken", revocations.Out);
        Assert.Equal(19L, await app.ScalarAsync<long>("select count(*) from keelback.audit where via = 'cli' and outcome not like 'failed%'"));
    }

    [Fact]
    public async Task Nothing_that_a_run_holds_speaks_to_the_terminal()
    {
        var loud = TestJobs.Kind("loud", _ => throw new InvalidOperationException("Out\u001b[2J\u009b2J"), j => j.MaxAttempts = 1);
        await using var app = await OpsApp.StartAsync(Database, [loud]);
        var run = await app.Jobs.EnqueueAsync(loud.Call(new { to = "\u001b]0;owned\u0007" }));
        await app.DrainAsync();
        await app.ScalarAsync<bool>($"update keelback.run set output = '\"\\u001b[31m\"' where id = {run} returning true");

        var show = await RunAsync("jobs", "show", run.ToString());
        var json = await RunAsync("jobs", "show", run.ToString(), "--json");

        Assert.Contains("Out [2J 2J", show.Out);
        Assert.DoesNotContain(show.Out + json.Out, c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public async Task Nor_does_an_error_that_quotes_one_or_what_was_typed()
    {
        var loud = TestJobs.Kind("loud", _ => throw new InvalidOperationException("Out\u001b[2J\u009b2J\nof paper"), j => j.MaxAttempts = 1);
        await using var app = await OpsApp.StartAsync(Database, [loud, s_mail]);
        var follower = await app.Jobs.EnqueueAsync(s_mail.Call().After(loud.Call()));
        await app.DrainAsync();

        var quoted = await RunAsync("jobs", "retry", follower.ToString());
        var verbose = await RunAsync("--verbose", "jobs", "retry", follower.ToString());
        var verb = await RunAsync("jobs", "l\u001b[2J");
        var run = await RunAsync("jobs", "show", "\u001b[2J");
        var stranger = await RunAsync("jobs", "list", "\u001b[2J");

        Assert.StartsWith("KB1243: ", quoted.Error);
        Assert.Contains("Out [2J 2J\nof paper", quoted.Error);
        Assert.Equal([1, 1, 2, 2, 2], new[] { quoted, verbose, verb, run, stranger }.Select(answer => answer.Code));
        Assert.DoesNotContain(quoted.Error + verbose.Error + verb.Error + run.Error + stranger.Error, c => char.IsControl(c) && c is not ('\n' or '\t'));
    }

    [Fact]
    public async Task All_that_a_search_finds_is_retried_when_the_user_is_sure()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail, s_bad]);
        await app.Jobs.EnqueueManyAsync([s_bad.Call(), s_bad.Call(), s_mail.Call()]);
        await app.DrainAsync();
        await app.CopyAsync();

        var asked = await RunAsync("jobs", "retry", "--all", "--from", "2020-01-01");
        var before = await app.ScalarAsync<long>("select count(*) from keelback.bulk");
        var sure = await RunAsync("jobs", "retry", "--all", "--kind", "import.rows", "--state", "failed", "--yes");
        var begun = await RunAsync("jobs", "bulk", "1");
        while (await app.Services.GetRequiredService<BulkAgent>().PageAsync(default))
        {
        }

        var ended = await RunAsync("jobs", "bulk", "1");
        var stopped = await RunAsync("jobs", "bulk", "1", "stop");
        var missing = await RunAsync("jobs", "bulk", "2");
        var wrong = await RunAsync("jobs", "bulk", "1", "halt");

        Assert.Equal((0, "not yet"), (begun.Code, Field(begun.Out, "ended")));
        Assert.Equal(("retry all of state failed, kind import.rows", "2", "0"), (Field(ended.Out, "does"), Field(ended.Out, "done"), Field(ended.Out, "left as they were")));
        Assert.EndsWith("UTC, done", Field(ended.Out, "ended"));
        Assert.Equal((0, "had ended already\n"), (stopped.Code, stopped.Out));
        Assert.Equal((1, true), (missing.Code, missing.Error.Contains("KB1721: There is no bulk 2.")));
        var wordy = await RunAsync("jobs", "bulk", "x");
        Assert.Equal((2, true), (wordy.Code, wordy.Error.Contains("KB1722: 'x' is no bulk's number")));
        Assert.Equal((2, "'jobs bulk' cannot 'halt'. It can stop.\n"), (wrong.Code, wrong.Error));
        Assert.Equal((1, "The search finds 3 runs, 2 of them in a state for it. Nothing was done: add --yes.\n", 0L), (asked.Code, asked.Out, before));
        Assert.Equal((0, "retry 2 runs: bulk 1 has begun; it is done in the background. 'jobs bulk 1' tells how far it is.\n"), (sure.Code, sure.Out));
        Assert.Equal("retry all bulk 1: done: 2, left as they were: 0", await app.ScalarAsync<string>("select action || ' ' || target || ': ' || outcome from keelback.audit where via = 'cli'"));
        Assert.Equal(2L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    private static string Field(string lines, string name) => lines.Split('\n').Single(line => line.StartsWith(name + "  ", StringComparison.Ordinal))[name.Length..].Trim();

    [Fact]
    public async Task A_schedule_that_is_given_other_times_stays_in_its_zone()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail]);
        await using (var scope = app.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<JobSchedules>().AddAsync("nightly", Trigger.Cron("30 2 * * *", "Europe/Berlin"), s_mail.Call());

        var changed = await RunAsync("jobs", "schedules", "change", "nightly", "0 3 * * *");

        Assert.Equal("ticks cron 0 3 * * * (Europe/Berlin)\n", changed.Out);
    }

    [Fact]
    public async Task A_copy_without_arguments_has_the_old_ones()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada" }));

        var copied = await RunAsync("jobs", "copy", run.ToString());
        var broken = await RunAsync("jobs", "copy", run.ToString(), "--arguments", "{");

        Assert.Equal((0, ""), (copied.Code, copied.Error));
        Assert.Equal((2, true), (broken.Code, broken.Error.StartsWith("KB1707: ", StringComparison.Ordinal)));
        Assert.Equal(2L, await app.ScalarAsync<long>("""select count(*) from keelback.run where input = '{"to": "ada"}'"""));
    }

    [Theory]
    [InlineData("warnings", "health")]
    [InlineData("audit", "audit")]
    public async Task Json_is_what_the_api_answers(string command, string path)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call());
        await RunAsync("jobs", "cancel", run.ToString());

        var answer = await RunAsync("jobs", command, "--json");

        Assert.Equal(await app.PageAsync("/ops/jobs/api/" + path), answer.Out.TrimEnd('\n'));
    }

    [Fact]
    public async Task The_audit_has_pages_too()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        foreach (var run in await app.Jobs.EnqueueManyAsync([s_mail.Call(), s_mail.Call()])) await RunAsync("jobs", "cancel", run.ToString());

        var first = await RunAsync("jobs", "audit", "--limit", "1");
        var second = await RunAsync("jobs", "audit", "--limit", "10", "--before", first.Out.Split("More: --before ")[1].Trim());

        Assert.Equal((1, 1), (first.Out.Split("  cli  ").Length - 1, second.Out.Split("  cli  ").Length - 1));
        Assert.DoesNotContain("More:", second.Out);
    }

    [Theory]
    [InlineData(1, "KB1703: There is no queue 'mial' in this app. Did you mean 'mail'? It has default, mail.", "jobs", "queues", "pause", "mial")]
    [InlineData(1, "KB1703: There is no queue 'mial' in this app. Did you mean 'mail'?", "jobs", "list", "--queue", "mial")]
    [InlineData(1, "KB1704: There is no job kind 'mail.sent', neither in this program nor among its runs. Did you mean 'mail.send'?", "jobs", "list", "--kind", "mail.sent")]
    [InlineData(2, "KB1705: 'faild' is no state. Did you mean 'failed'? States are ready, scheduled,", "jobs", "list", "--state", "faild")]
    [InlineData(0, "", "jobs", "list", "--state", "OPEN")]
    [InlineData(0, "", "jobs", "list", "--state", "upstream failed")]
    [InlineData(2, "KB1708: 'soon' is no point in time.", "jobs", "list", "--from", "soon")]
    [InlineData(2, "KB1708: '01/02/2026' is no point in time.", "jobs", "cancel", "--all", "--yes", "--from", "01/02/2026")]
    [InlineData(2, "KB1229: The queue 'mail' cannot have 0 slots: give it 1 or more, or pause it. No limit is null, 'none' on the command line.", "jobs", "queues", "slots", "mail", "0")]
    [InlineData(2, "KB1220: cron '61 * * * *', minute", "jobs", "schedules", "change", "nightly", "61 * * * *")]
    [InlineData(2, "KB1221: cron '0 0 30 2 *' can never fire", "jobs", "schedules", "change", "nightly", "0 0 30 2 *")]
    [InlineData(2, "KB1222: There is no time zone 'Mars/X'.", "jobs", "schedules", "change", "nightly", "0 3 * * *", "--zone", "Mars/X")]
    [InlineData(2, "KB1716: 'every 5x' does not say when to tick.", "jobs", "schedules", "change", "nightly", "every 5x")]
    [InlineData(2, "KB1713: '' is no number of slots. Give 1 or more; for no limit, 'none' on the command line", "jobs", "queues", "slots", "mail", "")]
    [InlineData(2, "KB1709: 'x' is no run's id", "jobs", "show", "x")]
    [InlineData(2, "KB1710: Something is missing. Write: jobs cancel RUN.", "jobs", "cancel")]
    [InlineData(1, "KB1218: There is no run 4711", "jobs", "show", "4711")]
    [InlineData(2, "KB1710: Something is missing. Write: jobs queues slots mail N|none.", "jobs", "queues", "slots", "mail")]
    [InlineData(2, "KB1713: 'few' is no number of slots.", "jobs", "queues", "slots", "mail", "few")]
    [InlineData(1, "KB1714: No worker '4711' is alive. None is: start one.", "jobs", "workers", "pause", "4711")]
    [InlineData(2, "KB1717: A worker cannot run '1001' jobs at once.", "jobs", "workers", "scale", "all", "1001")]
    [InlineData(2, "KB1255: A trigger cannot be made so: a rate ticks at multiples of itself since 1970 UTC, in no zone ('Europe/Berlin').", "jobs", "schedules", "change", "nightly", "every 5m", "--zone", "Europe/Berlin")]
    [InlineData(1, "KB1715: There is no schedule 'nightli' in this app. Did you mean 'nightly'? It has nightly.", "jobs", "schedules", "run", "nightli")]
    [InlineData(1, "KB1704: There is no job kind 'mail.sent', neither in this program nor among its runs. Did you mean 'mail.send'? To revoke one before its deploy, say so: --unknown", "jobs", "revoke", "kind", "mail.sent")]
    [InlineData(1, "KB1719: The tag 'x' is not revoked. No tag is.", "jobs", "allow", "tag", "x")]
    [InlineData(2, "KB1720: 'ever' is no length of time.", "jobs", "revoke", "tag", "x", "--lasting", "ever")]
    [InlineData(2, "KB1720: '48:00:00' is no length of time.", "jobs", "revoke", "tag", "x", "--lasting", "48:00:00")]
    [InlineData(1, "KB1218: There is no run 4711", "jobs", "retry", "4711", "--graph")]
    [InlineData(2, "KB1712: The search names nothing", "jobs", "cancel", "--all", "--yes")]
    [InlineData(2, "KB1723: '' holds no letter or digit", "jobs", "cancel", "--all", "--text", "", "--yes")]
    [InlineData(2, "KB1723: '*' holds no letter or digit", "jobs", "retry", "--all", "--kind", "mail.send", "--text", "*", "--yes")]
    [InlineData(2, "KB1723: '%' holds no letter or digit", "jobs", "list", "--text", "%")]
    [InlineData(2, "KB1724: 'a b c d e f g h i j k l m n o p q r s t u' has 21 words, and a search takes 20.", "jobs", "cancel", "--all", "--text", "a b c d e f g h i j k l m n o p q r s t u", "--yes")]
    [InlineData(2, "'jobs list' takes no argument 'extra'.", "jobs", "list", "extra", "stuff")]
    [InlineData(2, "'jobs audit' takes no argument 'run'.", "jobs", "audit", "run", "5")]
    [InlineData(2, "'jobs queues pause' takes no argument '5'.", "jobs", "queues", "pause", "mail", "5")]
    [InlineData(2, "'jobs show' takes no option '--kind'.", "jobs", "show", "4711", "--kind", "mail.send")]
    [InlineData(2, "'jobs retry' takes no option '--state'.", "jobs", "retry", "4711", "--state", "failed")]
    [InlineData(2, "'jobs list' takes no option '--unknown'.", "jobs", "list", "--unknown")]
    [InlineData(2, "'jobs revoke tag' takes no option '--unknown'.", "jobs", "revoke", "tag", "x", "--unknown")]
    [InlineData(2, "'jobs revoke kind' takes no option '--graph'.", "jobs", "revoke", "kind", "mail.send", "--graph")]
    [InlineData(2, "'jobs revoke run' takes no option '--reason'.", "jobs", "revoke", "run", "4711", "--reason", "Broken")]
    [InlineData(2, "'jobs schedules pause' takes no option '--zone'.", "jobs", "schedules", "pause", "nightly", "--zone", "Europe/Berlin")]
    [InlineData(2, "'jobs schedules' takes no option '--limit'.", "jobs", "schedules", "--limit", "5")]
    [InlineData(2, "KB1718: 'knd' cannot be revoked. Did you mean 'kind'?", "jobs", "revoke", "knd", "mail.send", "--reason", "Broken")]
    [InlineData(2, "'jobs schedules' cannot 'chang'. Did you mean 'change'?", "jobs", "schedules", "chang", "nightly", "--zone", "Europe/Berlin")]

    [InlineData(1, "KB1730: There is no limit 'strpe' in this app. Did you mean 'stripe'? It has stripe.", "jobs", "limits", "show", "strpe")]
    [InlineData(1, "KB1730: There is no limit 'stripe:eu' in this app. Did you mean 'stripe'? It has stripe. To give numbers to one that is still to come, say so: --unknown", "jobs", "limits", "set", "stripe:eu", "--slots", "3")]
    [InlineData(1, "KB1730: There is no limit 'strpe' in this app. Did you mean 'stripe'?", "jobs", "limits", "reset", "strpe")]
    [InlineData(2, "KB1731: 'few' is no number for a limit.", "jobs", "limits", "set", "stripe", "--slots", "few")]
    [InlineData(2, "KB1731: '0' is no number for a limit.", "jobs", "limits", "set", "stripe", "--per-hour", "0")]
    [InlineData(2, "KB1227: The limit 'stripe:eu' cannot be so: a limit's name is what stands before the ':'", "jobs", "limits", "set", "stripe:eu", "--slots", "3", "--unknown")]
    [InlineData(2, "KB1227: The limit 'stripe' cannot be so: it has no number", "jobs", "limits", "set", "stripe", "--slots", "none", "--per-second", "none")]
    [InlineData(2, "KB1710: Something is missing. Write: jobs limits set stripe --slots N|none", "jobs", "limits", "set", "stripe")]
    [InlineData(2, "'jobs limits reset' takes no option '--slots'.", "jobs", "limits", "reset", "stripe", "--slots", "3")]
    [InlineData(2, "'jobs limits show' takes no argument '5'.", "jobs", "limits", "show", "stripe", "5")]
    [InlineData(2, "'jobs limits' cannot 'sett'. Did you mean 'set'? It can list, show, set, reset.", "jobs", "limits", "sett", "stripe")]
    [InlineData(2, "'jobs workers' cannot 'paus'. Did you mean 'pause'?", "jobs", "workers", "paus", "all")]
    [InlineData(2, "'jobs' cannot 'lst'. Did you mean 'list'?", "jobs", "lst")]
    public async Task A_mistake_is_told_with_the_way_out(int code, string message, params string[] arguments)
    {
        await using (var app = await OpsApp.StartAsync(Database, [s_mail, s_bad, s_pay]))
        {
            await app.Jobs.EnqueueAsync(s_mail.Call());
            await app.Jobs.EnqueueAsync(s_pay.Call());
            await app.CopyAsync();
            await AddScheduleAsync(app);
        }

        var answer = await RunAsync(arguments);

        Assert.Equal(code, answer.Code);
        Assert.StartsWith(message, answer.Error);
    }

    [Fact]
    public async Task A_run_of_a_kind_that_was_taken_out_of_the_code_is_listed_and_cancelled_by_it_however_old_it_is()
    {
        var clock = new TestClock(Database.DataSource);
        var gone = TestJobs.Kind("taken.out", _ => Task.CompletedTask);
        await using var app = await OpsApp.StartAsync(Database, [gone], clock: clock);
        var run = await app.Jobs.EnqueueAsync(gone.Call());
        await app.CopyAsync();
        clock.Advance(TimeSpan.FromDays(8));

        var list = await RunAsync("jobs", "list", "--kind", "taken.out");
        var all = await RunAsync("jobs", "cancel", "--all", "--kind", "taken.out");

        Assert.Equal((0, ""), (list.Code, list.Error));
        Assert.Contains($"{run} ", list.Out);
        Assert.Equal((1, "The search finds 1 run, 1 of them in a state for it. Nothing was done: add --yes.\n", ""), (all.Code, all.Out, all.Error));
    }

    [Fact]
    public async Task Limits_are_listed_shown_set_and_reset()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_pay]);
        await app.Jobs.EnqueueAsync(s_pay.Call());

        var list = await RunAsync("jobs", "limits");
        var set = await RunAsync("jobs", "limits", "set", "stripe", "--slots", "3", "--per-second", "none", "--per-hour", "1000");
        var again = await RunAsync("jobs", "limits", "set", "stripe", "--slots", "3");
        var show = await RunAsync("jobs", "limits", "show", "stripe");
        var json = await RunAsync("jobs", "limits", "--json");
        var made = await RunAsync("jobs", "limits", "set", "tenant", "--slots", "2", "--unknown");
        var reset = await RunAsync("jobs", "limits", "reset", "stripe");
        var gone = await RunAsync("jobs", "limits", "reset", "tenant");
        var same = await RunAsync("jobs", "limits", "reset", "stripe");

        Assert.Matches(@"^LIMIT +NUMBERS +SET +BUSIEST KEY +IN USE +WAITING\nstripe +5 at once, 10 per second +in code +- +- +-\n$", list.Out);
        Assert.Equal((0, "3 at once, 1,000 per hour\n", ""), set);
        Assert.Equal((0, "was 3 at once, 1,000 per hour already\n", ""), again);
        Assert.Matches(@"numbers +3 at once, 1,000 per hour\nset +at run time, .* UTC\nin code +5 at once, 10 per second\n", show.Out);
        Assert.Equal(1000, JsonDocument.Parse(json.Out).RootElement[0].GetProperty("numbers").GetProperty("perHour").GetInt32());
        Assert.Equal((0, "2 at once\n", ""), made);
        Assert.Equal((0, "5 at once, 10 per second, as the code has it\n", ""), reset);
        Assert.Equal((0, "limits nothing any more\n", ""), gone);
        Assert.Equal((0, "is as the code has it\n", ""), same);
        Assert.Equal("set stripe, set stripe, set tenant, reset stripe, reset tenant, reset stripe", await app.ScalarAsync<string>(
            "select string_agg(action || ' ' || substr(target, 7), ', ' order by id) from keelback.audit where via = 'cli'"));
    }

    [Fact]
    public async Task An_app_without_schedules_is_told_how_to_have_one()
    {
        await using (await OpsApp.OpenAsync(Database, [s_mail])) { }

        var answer = await RunAsync("jobs", "schedules", "run", "nightly");

        Assert.Equal((1, "KB1715: There is no schedule 'nightly' in this app. It has none: add one in code with AddSchedule or [Schedule], or at run time with JobSchedules.\n"),
            (answer.Code, answer.Error));
    }

    private static async Task AddScheduleAsync(OpsApp app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<JobSchedules>().AddAsync("nightly", Trigger.Cron("30 2 * * *"), s_mail.Call());
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        OpsShell.RunAsync(Database, services =>
        {
            services.AddJobKind(s_mail);
            services.AddJobKind(s_bad);
            services.AddJobKind(s_pay);
        }, arguments);
}
