using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>What callers give that cannot be: it is told by an error of ours, and changes nothing.</summary>
public sealed class ArgumentTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);
    private static readonly Trigger s_hourly = Trigger.Every(TimeSpan.FromHours(1));

    [Theory, InlineData(0), InlineData(0xd83d), InlineData(0xde00)]
    public async Task Text_that_the_database_cannot_hold_is_refused_wherever_it_is_given(int unit)
    {
        var text = $"a{(char)unit}b";
        await using var host = JobHost.Create(Database, [s_note]);
        await using var scope = host.Services.CreateAsyncScope();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();
        var (limits, queues, revocations) = (Get<JobLimits>(host), Get<JobQueues>(host), Get<JobRevocations>(host));

        foreach (var (code, act) in new (string, Func<Task>)[]
        {
            ("KB1208", () => host.Jobs.EnqueueAsync(s_note.Call(), new() { Queue = text })),
            ("KB1208", () => host.Jobs.EnqueueAsync(s_note.Call(), new() { Tags = ["good", text] })),
            ("KB1225", () => host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = new(text) })),
            ("KB1225", () => host.Jobs.EnqueueAsync(s_note.Call(), new() { Tenant = text })),
            ("KB1289", () => host.Jobs.CancelTaggedAsync(text)), ("KB1289", () => host.Jobs.CancelKindAsync(text)), ("KB1289", () => host.Jobs.FindTaggedAsync(text)),
            ("KB1256", () => schedules.AddAsync(text, s_hourly, s_note.Call())), ("KB1256", () => schedules.AddOrChangeAsync(text, s_hourly, s_note.Call())),
            ("KB1289", () => schedules.GetAsync(text)), ("KB1289", () => schedules.GetHistoryAsync(text)), ("KB1289", () => schedules.PauseAsync(text)),
            ("KB1289", () => schedules.RunNowAsync(text)), ("KB1289", () => schedules.RemoveAsync(text)),
            ("KB1227", () => limits.SetAsync(text, new(1))), ("KB1289", () => limits.ResetAsync(text)), ("KB1289", () => limits.UsageAsync(text)),
            ("KB1289", () => queues.PauseAsync(text)), ("KB1289", () => queues.SetSlotsAsync(text, 1)),
            ("KB1289", () => revocations.RevokeKindAsync(text)), ("KB1289", () => revocations.RevokeTagAsync("tag", reason: text)),
            ("KB1289", () => revocations.AllowTagAsync(text)),
        })
        {
            var error = await Assert.ThrowsAsync<KeelbackException>(act);
            Assert.Equal(code, error.Code);
            Assert.DoesNotContain(error.Message, c => c == '\0' || char.IsSurrogate(c));
        }

        Assert.Equal((0, 0), (await host.ScalarAsync<long>("select count(*) from keelback.run"), await host.ScalarAsync<long>("select count(*) from keelback.revocation")));
    }

    [Fact]
    public async Task Names_are_without_control_characters_and_the_error_shows_them()
    {
        await using var host = JobHost.Create(Database, [s_note], o =>
        {
            o.Queues.Add("mail\n");
            o.Limits["a\u001b"] = new(1);
        });
        await using var other = JobHost.Create(Database, [s_note]);

        var settings = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => host.Jobs);
        var queue = await Assert.ThrowsAsync<KeelbackException>(() => other.Jobs.EnqueueAsync(s_note.Call(), new() { Queue = "Mail\u0001" }));
        var tag = await Assert.ThrowsAsync<KeelbackException>(() => other.Jobs.EnqueueAsync(s_note.Call(), new() { Tags = ["a\nb"] }));
        var limit = await Assert.ThrowsAsync<KeelbackException>(() => Get<JobLimits>(other).SetAsync("a\u001b", new(1)));

        Assert.Contains("Keelback:Jobs:Queues: 'mail\\u000a': it holds a control character.", settings.Message, StringComparison.Ordinal);
        Assert.Contains("Keelback:Jobs:Limits:a\\u001b: it holds a control character.", settings.Message, StringComparison.Ordinal);
        Assert.Equal("KB1208: 'note' cannot be enqueued so: its queue 'Mail\\u0001': it holds a control character.", queue.Message);
        Assert.Equal("KB1208: 'note' cannot be enqueued so: its tag 'a\\u000ab': it holds a control character.", tag.Message);
        Assert.Equal("KB1227: The limit 'a\\u001b' cannot be so: it holds a control character.", limit.Message);
    }

    [Fact]
    public async Task What_is_null_is_named()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await using var scope = host.Services.CreateAsyncScope();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();

        foreach (var (name, act) in new (string, Func<Task>)[]
        {
            ("first", () => Task.FromResult(s_note.Call().After(null!))), ("first", () => Task.FromResult(s_note.Call().After([null!]))),
            ("jobs", () => Task.FromResult(Job.All((IEnumerable<Job>)null!))), ("jobs", () => Task.FromResult(Job.All([s_note.Call(), null!]))),
            ("jobs", () => Task.FromResult(Job.All<int>([null!]))), ("jobs", () => Task.FromResult(Job.AllSettled([null!]))),
            ("triggers", () => Task.FromResult(Trigger.Any(null!))), ("triggers", () => Task.FromResult(Trigger.All([s_hourly, null!]))),
            ("Key", () => Task.FromResult(new JobUnique(null!))), ("name", () => schedules.AddAsync(null!, s_hourly, s_note.Call())),
            ("name", () => schedules.GetAsync(null!)), ("name", () => schedules.ResetAsync(null!)), ("name", () => Get<JobLimits>(host).SetAsync(null!, new(1))),
            ("name", () => Get<JobLimits>(host).GetAsync(null!)), ("name", () => Get<JobLimits>(host).UsageAsync(null!)), ("name", () => Get<JobLimits>(host).ResetAsync(null!)),
        })
            Assert.Equal(name, (await Assert.ThrowsAsync<ArgumentNullException>(act)).ParamName);

        await Assert.ThrowsAsync<ArgumentNullException>(() => Get<JobRevocations>(host).AllowTagAsync(null!));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => schedules.GetHistoryAsync("s", -1));
        var key = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(), new() { Limits = [null!] }));
        Assert.Equal("KB1225: The key '' of 'note' cannot be used: it is null.", key.Message);
    }

    [Fact]
    public async Task Members_that_an_enum_has_not_are_refused()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await using var scope = host.Services.CreateAsyncScope();
        var schedules = scope.ServiceProvider.GetRequiredService<JobSchedules>();

        foreach (var options in new ScheduleOptions[] { new() { Overlap = (Overlap)99 }, new() { CatchUp = (CatchUp)99 }, new() { OnHoliday = (OnHoliday)99 } })
            Assert.Equal("KB1256", (await Assert.ThrowsAsync<KeelbackException>(() => schedules.AddAsync("s", s_hourly, s_note.Call(), options))).Code);
        foreach (var unique in new JobUnique[] { new("a") { OnConflict = (UniqueConflict)99 }, new("a") { Scope = (UniqueScope)99 }, new("a") { Until = (UniqueUntil)99 } })
            Assert.Contains("99", (await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(), new() { Unique = unique }))).Message, StringComparison.Ordinal);
    }

    private static T Get<T>(JobHost host)
        where T : notnull => host.Services.GetRequiredService<T>();
}
