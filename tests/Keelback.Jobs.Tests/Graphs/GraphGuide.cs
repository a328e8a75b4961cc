using Keelback.Jobs;

namespace Keelback.Guides.Graphs;

public sealed partial class Shop
{
    [Job]
    public Task<int[]> Orders(int day, CancellationToken ct) => Task.FromResult(Enumerable.Range(10 * day, 3).ToArray());

    [Job]
    public Task<int> Price(int order, CancellationToken ct) => Task.FromResult(order * 100);

    [Job]
    public Task<int> Sum(int[] numbers, CancellationToken ct) => Task.FromResult(numbers.Sum());

    [Job(MaxAttempts = 1)]
    public Task<int> Broken(int order, CancellationToken ct) => throw new InvalidOperationException($"order {order} is empty");

    [Job]
    public Task<string> Page(JobFailure failure, CancellationToken ct) => Task.FromResult($"{failure.Kind}: {failure.Error!.Message}");

    [Job]
    public Task<string> Report(JobResult<int>[] prices, CancellationToken ct) =>
        Task.FromResult($"{prices.Count(p => p.Succeeded)} of {prices.Length}");
}

public sealed partial class Trees(JobContext context)
{
    [Job]
    public Task<int> Leaves(int depth, CancellationToken ct) => Task.FromResult(
        depth == 0 ? 1 : context.Replace(Shop.Sum(Job.All(Leaves(depth - 1), Leaves(depth - 1)))));
}
