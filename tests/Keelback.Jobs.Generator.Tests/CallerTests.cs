namespace Keelback.Jobs.Generator.Tests;

/// <summary>What the analyzers say where a job is called.</summary>
public class CallerTests
{
    private const string Receipts =
        """
        public sealed record Options2(int N = 1);
        public sealed partial class Receipts
        {
            [Job] public Task<int> Send(long id, CancellationToken ct) => Task.FromResult(1);
            [Job] public Task Mix(int a, Options2 b, int[] c, CancellationToken ct) => Task.CompletedTask;
        }
        """;

    [Theory]
    [InlineData("Receipts.Send(5);", "Receipts.Send(5)")]
    [InlineData("Receipts.Send(5).After(Receipts.Send(4));", "Receipts.Send(5).After(Receipts.Send(4))")]
    [InlineData("Receipts.Send(5).With(new() { Priority = 1 });", "Receipts.Send(5).With(new() { Priority = 1 })")]
    [InlineData("Job.All(Receipts.Send(5));", "Job.All(Receipts.Send(5))")]
    [InlineData("new List<long> { 1 }.ForEach(id => Receipts.Send(id));", "Receipts.Send(id)")]
    [InlineData("Action<long> send = id => { Receipts.Send(id); };", "Receipts.Send(id)")]
    [InlineData("await Task.FromResult(Receipts.Send(5));", "await Task.FromResult(Receipts.Send(5))")]
    public async Task A_job_that_is_thrown_away_is_reported(string statement, string thrownAway) =>
        Assert.Equal(
            [$"'{thrownAway}' only describes a job, and nothing runs until it is enqueued: db.Enqueue(() => …), or await jobs.EnqueueAsync(…) [KBJ011]"],
            await SaidAsync(statement));

    [Theory]
    [InlineData("var job = Receipts.Send(5); job = Receipts.Send(6); GC.KeepAlive(job);")]
    [InlineData("_ = Receipts.Send(5);")]
    [InlineData("Enqueue(() => Receipts.Send(5));")]
    [InlineData("var jobs = new List<Job>(); jobs.Add(Receipts.Send(5));")]
    [InlineData("await new Receipts().Send(5, default);")]
    public async Task A_job_that_is_used_is_not(string statement) => Assert.Empty(await SaidAsync(statement));

    [Theory]
    [InlineData("app.MapPost(\"/a\", (int id) => Receipts.Send(id));", "Job<int>")]
    [InlineData("app.MapPost(\"/a\", (int id) => { return Receipts.Send(id); });", "Job<int>")]
    [InlineData("app.MapGet(\"/a\", (int id) => (Job)Receipts.Send(id));", "Job")]
    [InlineData("app.MapGet(\"/a\", async (int id) => { await Task.Yield(); return Receipts.Send(id); });", "Task<Job<int>>")]
    [InlineData("app.MapGet(\"/a\", () => new[] { Receipts.Send(1) });", "Job<int>[]")]
    [InlineData("app.MapGet(\"/a\", Described);", "Job<int>")]
    [InlineData("app.MapGet(\"/a\", () => Microsoft.AspNetCore.Http.TypedResults.Ok(Receipts.Send(1)));", "Microsoft.AspNetCore.Http.HttpResults.Ok<Job<int>>")]
    [InlineData("Delegate plain = (int id) => Receipts.Send(id);", "Job<int>")]
    public async Task A_job_that_is_answered_is_reported(string statement, string type) =>
        Assert.Equal(
            [$"This returns '{type}' to who takes any delegate, as MapPost does: the description would be the answer, and nothing runs until it is enqueued. Return await jobs.EnqueueAsync(…) [KBJ016]"],
            await SaidAsync(statement));

    [Theory]
    [InlineData("app.MapPost(\"/a\", async (int id, JobClient jobs) => await jobs.EnqueueAsync(Receipts.Send(id)));")]
    [InlineData("app.MapPost(\"/a\", (int id, JobClient jobs) => jobs.EnqueueAsync(Receipts.Send(id)));")]
    [InlineData("Func<long, Job> one = id => Receipts.Send(id); Enqueue(() => one(1)); Enqueue(One);")]
    [InlineData("var one = (long id) => Receipts.Send(id); _ = one(1);")]
    [InlineData("_ = (Delegate)((long id) => Receipts.Send(id));")]
    [InlineData("_ = Delegate.Combine(new Func<Job>(One), null);")]
    public async Task A_delegate_whose_job_someone_enqueues_is_not(string statement) => Assert.Empty(await SaidAsync(statement));

    [Theory]
    [InlineData("Receipts.Mix(Receipts.Send(1), new(), [1])", "'new()' makes an empty 'Arg<Options2>' here, which is neither a value nor a job; write 'new Options2()' to pass a value [KBJ010]")]
    [InlineData("Receipts.Mix(Receipts.Send(1), default, [1])", "'default' makes an empty 'Arg<Options2>' here, which is neither a value nor a job; write 'default(Options2)' to pass a value [KBJ010]")]
    [InlineData("Receipts.Mix(Receipts.Send(1), new(2), [1])", null)]
    [InlineData("Receipts.Mix(default, new(), default!)", null)]
    [InlineData("Receipts.Mix(Receipts.Send(1), new Options2(), default!)", null)]
    public async Task An_empty_argument_is_reported(string call, string? expected)
    {
        var said = await SaidAsync($"_ = {call};");

        if (expected is null) Assert.DoesNotContain(said, text => text.EndsWith("[KBJ010]", StringComparison.Ordinal));
        else Assert.Equal([expected], said);
    }

    private static Task<IReadOnlyList<string>> SaidAsync(string statement) => Snippet.DiagnosticsAsync(
        $$"""
        using Microsoft.AspNetCore.Builder;
        {{Receipts}}
        public static class Caller
        {
            private static void Enqueue(Func<Job> job) => _ = job();

            private static Job One() => Receipts.Send(1);

            private static Job<int> Described(long id) => Receipts.Send(id);

            public static async Task Call(Microsoft.AspNetCore.Builder.WebApplication app) { await Task.Yield(); {{statement}} }
        }
        """);
}
