using Microsoft.Extensions.Options;

namespace Keelback.Jobs.Tests;

/// <summary>Durations in attributes, rules and settings: seconds and hours are never taken for days.</summary>
public sealed class DurationTests
{
    private static readonly JobsOptionsValidator s_validator = new();

    [Theory]
    [InlineData("00:00:30", 30), InlineData("1:00:00", 3600), InlineData("23:59:59.5", 86399.5), InlineData("1.00:00:00", 86400), InlineData("10.02:00:00", 871200)]
    public void A_duration_has_hours_minutes_and_seconds_and_may_have_days(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), JobDuration.Parse(text));

    [Theory]
    [InlineData("30"), InlineData("24:00:00"), InlineData("10:30"), InlineData("1.5"), InlineData("30s"), InlineData(""), InlineData("-00:00:01"), InlineData(" 00:00:01")]
    public void What_net_reads_as_days_or_guesses_at_is_none(string text) => Assert.Null(JobDuration.Parse(text));

    [Fact]
    public void A_rule_for_all_jobs_names_the_wait_that_does_not_read()
    {
        var options = new JobsOptions();
        options.Rules.Add(new RetryAttribute<TimeoutException> { Delay = "30", MaxDelay = "24:00:00" });

        Assert.Equal(
        [
            "Keelback:Jobs:Rules: a wait after TimeoutException ('30') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.",
            "Keelback:Jobs:Rules: a wait after TimeoutException ('24:00:00') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.",
        ], s_validator.Validate(null, options).Failures!);
    }

    [Fact]
    public void An_attribute_that_no_compiler_has_looked_at_is_refused_with_the_call()
    {
        var error = Assert.Throws<KeelbackException>(() => Check(TestJobs.Kind("note", _ => Task.CompletedTask, d => d.Timeout = "30")));
        var window = Assert.Throws<KeelbackException>(() => Check(TestJobs.Kind("note", _ => Task.CompletedTask).With(new UniqueAttribute("a") { Window = "24:00:00" })));

        Assert.Equal("KB1208: 'note' cannot be enqueued so: its Timeout ('30') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.", error.Message);
        Assert.StartsWith("KB1208: 'note' cannot be enqueued so: its unique key's window ('24:00:00') is not a duration.", window.Message, StringComparison.Ordinal);

        static void Check(JobKind kind) => EnqueuePlan.Of([kind.Call()]);
    }

    [Fact]
    public void Settings_that_were_meant_as_seconds_are_refused()
    {
        var days = TimeSpan.FromDays(60); // what the reader of settings makes of 60
        foreach (var set in new Action<JobsOptions>[]
        {
            o => o.PollInterval = days, o => o.ShutdownTimeout = days, o => o.Lease = days, o => o.RetryDelay = o.MaxRetryDelay = days, o => o.MaxRetryDelay = days,
            o => o.EnqueuePatience = days, o => o.ProgressInterval = days, o => o.PriorityAging = days,
        })
        {
            var options = new JobsOptions();
            set(options);
            Assert.All(s_validator.Validate(null, options).Failures!, f => Assert.Contains("(60.00:00:00) must not be over ", f, StringComparison.Ordinal));
        }

        Assert.Equal(ValidateOptionsResult.Success, s_validator.Validate(null, new() { Retention = days }));
    }
}
