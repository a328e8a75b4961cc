using Keelback.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>The agents, in processes that run jobs.</summary>
internal sealed class OpsServices(
    SearchAgent search, QueueLooker looker, HealthWatch watch, BulkAgent bulk, Tidier tidier, IOptions<JobsOptions> jobs) : IHostedService
{
    private IHostedService[] Agents => jobs.Value.RunWorker ? [search, looker, watch, bulk, tidier] : [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var agent in Agents) await agent.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(Agents.Select(a => a.StopAsync(cancellationToken)));
}
