using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>A call that is written down and read again is the graph that it was.</summary>
public sealed class StoredCallTests : JobsTest
{
    private static readonly JobKind s_first = TestJobs.Kind("first", _ => Task.FromResult(1));
    private static readonly JobKind s_second = TestJobs.Kind("second", _ => Task.FromResult(2));
    private static readonly JobKind s_third = TestJobs.Kind("third", _ => Task.FromResult(3));

    private static Job<int> First => s_first.Call<int>(new { n = 1 });

    private static Job<int> Sum => s_third.Call<int>(null, new JobBinding("all", Job.All(First, Second(First))));

    private static Job<int> Second(Arg<int> of) => s_second.Call<int>(null, EdgeRuleTests.Bound("of", of));

    public static TheoryData<string, Func<Job>> Graphs => new()
    {
        { "a call", () => First.With(new() { Queue = "other", Tags = ["t"] }) },
        { "a chain", () => First.Then(n => Second(n)).Then(n => Second(n)) },
        { "a chain that holds a graph", () => First.Then(Sum) },
        { "chains in chains", () => First.Then(Second(First).Then(Sum)).Then(Sum) },
        { "a group", () => Job.All(First, First, Sum) },
        { "nothing but order", () => Job.All(First.After(Sum), Second(First)) },
        { "what takes its result", () => First.OnSuccess(n => Second(n)) },
        { "what takes its result in a group", () => First.OnSuccess(n => Job.All(Second(n), Second(n), First)) },
        { "what follows", () => Sum.OnSuccess(Second(First).Then(Sum)).OnError(First) },
        { "what takes its failure", () => First.OnError(failure => s_second.Call<int>(null, EdgeRuleTests.Bound("why", failure))) },
        { "callbacks of callbacks", () => First.OnSuccess(n => Second(n).OnError(First.OnSuccess(m => Second(m)))) },
        { "callbacks within", () => Job.All(First.OnSuccess(n => Second(n)), Sum.OnError(First)).OnSuccess(all => s_third.Call<int>(null, EdgeRuleTests.Bound("all", all))) },
        { "a map", () => Job.Map(new[] { 1, 2 }, n => Second(Second(First)).After(First)).OnSuccess(First) },
    };

    [Theory, MemberData(nameof(Graphs))]
    public async Task It_makes_the_same_runs_with_options_and_without(string name, Func<Job> make)
    {
        await using var host = JobHost.Create(Database, [s_first, s_second, s_third]);
        var (kinds, secrets) = (host.Services.GetRequiredService<JobKinds>(), host.Services.GetRequiredService<JobSecrets>());

        foreach (var options in new[] { null, new EnqueueOptions { Id = Guid.CreateVersion7(), Priority = 3 } })
        {
            var live = Lines(EnqueuePlan.Of([make()], options));
            var stored = Lines(EnqueuePlan.Of([StoredCall.Of(make(), secrets).ToJob(kinds)!], options));

            Assert.True(live.SequenceEqual(stored), $"{name}\nlive:\n{string.Join('\n', live)}\nstored:\n{string.Join('\n', stored)}");
            Assert.Equal(live.Count, Lines(EnqueuePlan.Of([make()])).Count); // options make no run more
        }
    }

    // Each run by what it is and what comes before it, whatever the order in which they are written.
    private static List<string> Lines(EnqueuePlan plan)
    {
        var lines = new Dictionary<PlannedRun, string>(ReferenceEqualityComparer.Instance);
        foreach (var run in plan.Runs)
        {
            var bound = string.Join(' ', run.Bound.Select(b => $"{b.Parameter}=[{lines[b.Up]}]"));
            var ups = string.Join(' ', run.Ups.Select(up => $"{up.Value}:[{lines[up.Key]}]").Order(StringComparer.Ordinal));
            lines[run] = $"{(run == plan.Roots[0] ? "root " : "")}{run.Kind.Name}{System.Text.Encoding.UTF8.GetString(run.Payload.Span)} {run.Queue} {run.Priority} {bound} {ups}";
        }

        return [.. lines.Values.Order(StringComparer.Ordinal)];
    }
}
