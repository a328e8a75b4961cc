using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keelback.Ops;

/// <summary>Says, once the server listens, how the pages are to be opened, or that they are closed; and when it is left to chance whether their forms are accepted.</summary>
internal sealed class OpsStart(
    OpsMap map, DevelopmentLink link, IServiceProvider services, IHostApplicationLifetime life, ILogger<OpsStart> log) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        life.ApplicationStarted.Register(Say);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Say()
    {
        if (!Listens) return; // nobody can open them here

        foreach (var root in map.Roots.Where(IsUndecided))
        {
            if (!link.Exists) Log.Closed(log, root);
            else if (!IsForMachines(root)) link.Say(root);
        }

        if (!link.Exists && map.Roots.Any(root => !IsUndecided(root) && !IsForMachines(root)) && FormKeys.UndecidedPlace(services) is { } place)
            Log.KeysUnshared(log, OpsErrors.KeysUnshared(place));
    }

    // A worker has the same endpoints, and a server without addresses.
    private bool Listens => services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>() is not null;

    private bool IsUndecided(string root) => At(root).Any(e => !OpsGate.IsDecided(e.Metadata));

    private bool IsForMachines(string root) => At(root).All(e => e.Metadata.GetMetadata<ForMachines>() is not null);

    private IEnumerable<Microsoft.AspNetCore.Http.Endpoint> At(string root) => services.GetServices<EndpointDataSource>()
        .SelectMany(source => source.Endpoints).Where(e => e.Metadata.GetMetadata<PlaceMetadata>()?.Root == root);
}
