using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs.Tests;

/// <summary>How a job ends in other ways than by its result, and what its exceptions mean.</summary>
public sealed class OutcomeTests : JobsTest
{
    [Fact]
    public async Task A_retry_that_is_asked_for_comes_when_it_said()
    {
        var tries = 0;
        var poll = TestJobs.Kind("poll", _ => Interlocked.Increment(ref tries) == 1
            ? throw JobExit.Retry(TimeSpan.FromHours(3), "The upload is not there yet.")
            : Task.FromResult(tries));
        await using var host = await JobHost.Create(Database, [poll], clock: Clock).StartAsync();
        var id = await host.Jobs.EnqueueAsync(poll.Call());
        await Eventually(async () => (await host.Jobs.GetAsync(id))!.State == JobRunState.Scheduled, "it waits");

        var attempt = Assert.Single(await host.Jobs.GetAttemptsAsync(id));
        Clock.Advance(TimeSpan.FromHours(3));
        var run = await host.EndOf(id);

        Assert.Equal(3, (attempt.RetryAt!.Value - attempt.EndedAt).TotalHours, 0.0001);
        Assert.Equal(new JobError("Retry", "The upload is not there yet."), attempt.Error);
        Assert.Equal((JobRunState.Succeeded, 2, 2), (run.State, run.Attempt, run.Result<int>()));
    }

    [Fact]
    public async Task A_retry_that_is_asked_for_too_often_ends_the_run()
    {
        var poll = TestJobs.Kind("poll", _ => throw JobExit.Retry(TimeSpan.Zero, "Not yet."), d => d.MaxAttempts = 3);
        await using var host = await StartAsync(poll);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(poll.Call()));

        Assert.Equal((JobRunState.Failed, 3, "Not yet."), (run.State, run.Attempt, run.Error!.Message));
    }

    [Fact]
    public async Task A_snooze_gives_its_attempt_back_however_often()
    {
        var tries = 0;
        var shy = TestJobs.Kind("shy", _ => Interlocked.Increment(ref tries) < 6 ? throw JobExit.Snooze(TimeSpan.FromHours(1)) : Task.CompletedTask,
            d => d.MaxAttempts = 1);
        await using var host = await JobHost.Create(Database, [shy], clock: Clock).StartAsync();
        var id = await host.Jobs.EnqueueAsync(shy.Call());

        for (var i = 1; i < 6; i++)
        {
            await Eventually(async () => Volatile.Read(ref tries) == i && (await host.Jobs.GetAsync(id))!.State == JobRunState.Scheduled, $"snooze {i}");
            Clock.Advance(TimeSpan.FromHours(1));
        }

        var run = await host.EndOf(id);
        Assert.Equal((JobRunState.Succeeded, 1, 6), (run.State, run.Attempt, tries));
        Assert.Empty(await host.Jobs.GetAttemptsAsync(id));
    }

    [Fact]
    public async Task What_is_ignored_is_skipped_and_what_needs_its_result_does_not_run()
    {
        var stale = TestJobs.Kind<int>("stale", _ => throw JobExit.Ignore("The invoice is paid."));
        var next = TestJobs.Kind("next", _ => Task.CompletedTask);
        await using var host = await StartAsync(stale, next);

        var first = stale.Call<int>();
        var below = await host.EndOf(await host.Jobs.EnqueueAsync(next.Call(null, new JobBinding("n", first))));
        var run = await host.EndOf(await host.Jobs.EnqueueAsync(stale.Call()));

        Assert.Equal((JobRunState.Skipped, new JobError("Ignored", "The invoice is paid.")), (run.State, run.Error));
        Assert.True(below.State is JobRunState.Skipped or JobRunState.UpstreamFailed);
        Assert.Empty(await host.Jobs.GetAttemptsAsync(run.Id));
    }

    [Fact]
    public async Task What_is_rejected_fails_at_once()
    {
        var tries = 0;
        var picky = TestJobs.Kind("picky", _ =>
        {
            tries++;
            throw JobExit.Reject("No such customer.");
        });
        await using var host = await StartAsync(picky);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(picky.Call()));

        Assert.Equal((JobRunState.Failed, 1, new JobError("Rejected", "No such customer.")), (run.State, tries, run.Error));
    }

    [Fact]
    public async Task The_nearest_rule_decides_and_the_kinds_own_goes_first()
    {
        var kind = TestJobs.Kind("call", call => throw Thrown(call.Get<string>("what")), d => d.MaxAttempts = 4).With(
            new RetryAttribute<IOException> { MaxAttempts = 6 },
            new NoRetryAttribute<FileNotFoundException>(),
            new RetryAttribute<ArgumentException> { MaxAttempts = 2 });
        await using var host = await JobHost.Create(Database, [kind], o =>
        {
            o.Rules.Add(new NoRetryAttribute<ArgumentException>());
            o.Rules.Add(new NoRetryAttribute<NotSupportedException>());
        }).StartAsync();

        async Task<int> Attempts(string what, int? most = null) =>
            (await host.EndOf(await host.Jobs.EnqueueAsync(kind.Call(new { what }), new() { MaxAttempts = most }))).Attempt;

        Assert.Equal(4, await Attempts("InvalidOperation"));
        Assert.Equal(6, await Attempts("IO"));
        Assert.Equal(1, await Attempts("FileNotFound")); // nearer than IOException
        Assert.Equal(2, await Attempts("ArgumentNull"));
        Assert.Equal(1, await Attempts("NotSupported"));
        Assert.Equal(3, await Attempts("InvalidOperation", most: 3));
        Assert.Equal(6, await Attempts("IO", most: 3)); // the call's number is in the kind's place, which the rule's goes before
        Assert.Equal(1, await Attempts("FileNotFound", most: 3));

        static Exception Thrown(string what) => what switch
        {
            "IO" => new IOException(what),
            "FileNotFound" => new FileNotFoundException(what),
            "ArgumentNull" => new ArgumentNullException(what),
            "NotSupported" => new NotSupportedException(what),
            _ => new InvalidOperationException(what),
        };
    }

    [Fact]
    public async Task The_jobs_own_word_goes_before_a_rule_for_all_exceptions()
    {
        var kind = TestJobs.Kind("call", _ => throw JobExit.Retry(TimeSpan.Zero), d => d.MaxAttempts = 3).With(new NoRetryAttribute<Exception>());
        await using var host = await StartAsync(kind);

        Assert.Equal(3, (await host.EndOf(await host.Jobs.EnqueueAsync(kind.Call()))).Attempt);
    }

    [Fact]
    public async Task A_rule_counts_from_anew_when_a_run_is_retried_by_hand_and_for_rows_of_older_code()
    {
        static Task Throw(JobCall call) => throw (call.Get<bool>("io") ? new IOException() : new ArgumentException("what"));
        var old = TestJobs.Kind("call", Throw);
        var now = TestJobs.Kind("call", Throw, d => d.MaxAttempts = 5).With(new RetryAttribute<IOException> { MaxAttempts = 2 }, new NoRetryAttribute<ArgumentException>());
        await using var before = JobHost.Create(Database, [old]);
        var runs = await before.Jobs.EnqueueManyAsync(new[] { true, false }.Select(io => old.Call(new { io })));
        await using var host = await StartAsync(now);

        var attempts = new List<int>();
        for (var time = 0; time < 3; time++)
        {
            foreach (var run in runs)
            {
                if (time > 0) Assert.True(await host.Jobs.RetryAsync(run));
                attempts.Add((await host.EndOf(run)).Attempt);
            }
        }

        Assert.Equal([2, 1, 4, 2, 6, 3], attempts);
    }

    [Fact]
    public async Task A_rule_has_waits_of_its_own_and_a_kind_too()
    {
        var kind = TestJobs.Kind("call", call => call.Get<bool>("io") ? throw new IOException() : throw new InvalidOperationException(),
            d => (d.RetryDelay, d.MaxRetryDelay, d.Backoff, d.Jitter) = ("00:01:00", "00:03:00", RetryBackoff.Linear, false)).With(
            new RetryAttribute<IOException> { Delay = "01:00:00", MaxDelay = "09:00:00" });
        await using var host = await JobHost.Create(Database, [kind], o => o.Lease = TimeSpan.FromDays(2), clock: Clock).StartAsync();

        Assert.Equal(new[] { 60d, 120, 180 }, await WaitsAsync(io: false));
        Assert.Equal(new[] { 3600d, 7200, 10800 }, await WaitsAsync(io: true));

        async Task<double[]> WaitsAsync(bool io)
        {
            var id = await host.Jobs.EnqueueAsync(kind.Call(new { io }));
            for (var n = 1; n < 4; n++)
            {
                await Eventually(async () => (await host.Jobs.GetAttemptsAsync(id)).Count == n, $"attempt {n} failed");
                Clock.Advance(TimeSpan.FromHours(4) + TimeSpan.FromSeconds(1));
            }

            await host.EndOf(id);
            return [.. (await host.Jobs.GetAttemptsAsync(id)).Take(3).Select(a => Math.Round((a.RetryAt! - a.EndedAt).Value.TotalSeconds, 1))];
        }
    }

    [Fact]
    public async Task An_expected_error_is_told_without_a_stack()
    {
        var lines = new Lines();
        var kind = TestJobs.Kind("pay", call => call.Get<bool>("expected") ? throw new TimeoutException("The bank sleeps.") : throw new IOException("Oh."), d => d.MaxAttempts = 1)
            .With(new ExpectedAttribute<TimeoutException>());
        await using var host = await JobHost.Create(Database, [kind], services: s => s.AddLogging(l => l.AddProvider(lines).SetMinimumLevel(LogLevel.Information))).StartAsync();

        var expected = await host.EndOf(await host.Jobs.EnqueueAsync(kind.Call(new { expected = true })));
        await host.EndOf(await host.Jobs.EnqueueAsync(kind.Call(new { expected = false })));

        Assert.Equal("System.TimeoutException", expected.Error!.Type);
        Assert.Equal((LogLevel.Information, $"pay run {expected.Id} failed with attempt 1, its last. TimeoutException: The bank sleeps.", false),
            Assert.Single(lines.All, l => l.Text.Contains("The bank sleeps.", StringComparison.Ordinal)));
        Assert.Single(lines.All, l => l is { Level: LogLevel.Error, Stack: true });
    }

    [Fact]
    public async Task A_wait_that_does_not_read_is_an_error_at_start()
    {
        await using var host = JobHost.Create(Database, [], o => o.Rules.Add(new RetryAttribute<IOException> { MaxAttempts = 1001, Delay = "soon" }));

        var error = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService<IOptions<JobsOptions>>().Value);

        Assert.Equal(
        [
            "Keelback:Jobs:Rules: the attempts after IOException (1001) must be 1 to 1,000, or 0 for the kind's.",
            "Keelback:Jobs:Rules: a wait after IOException ('soon') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.",
        ], error.Failures);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly List<(LogLevel Level, string Text, bool Stack)> _all = [];

        public IReadOnlyList<(LogLevel Level, string Text, bool Stack)> All
        {
            get
            {
                lock (_all) return [.. _all];
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_all) _all.Add((logLevel, formatter(state, exception), exception is not null));
        }

        public void Dispose()
        {
        }
    }
}
