using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>The agents. They work in every process, since the last worker may be what is gone; turns and row locks let one at a time do so.</summary>
internal sealed class OpsServices(
    SearchAgent search, QueueLooker looker, HealthWatch watch, BulkAgent bulk, Tidier tidier, IOptions<OpsOptions> ops) : IHostedService
{
    private IHostedService[] Agents => ops.Value.RunAgents ? [search, looker, watch, bulk, tidier] : [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var agent in Agents) await agent.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(Agents.Select(a => a.StopAsync(cancellationToken)));
}
