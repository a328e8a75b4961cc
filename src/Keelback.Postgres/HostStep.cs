using Microsoft.Extensions.Hosting;

namespace Keelback.Postgres;

/// <summary>A hosted service that acts at one moment of the host's life: the one that it overrides.</summary>
internal abstract class HostStep : IHostedLifecycleService
{
    /// <summary>Before any service starts; in the order of registration.</summary>
    public virtual Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before any service, the web server included, is stopped.</summary>
    public virtual Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
