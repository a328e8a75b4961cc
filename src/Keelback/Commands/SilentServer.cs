using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The web server, which listens only where the process serves: the rest of the host starts as it would.</summary>
internal sealed class SilentServer(Func<IServiceProvider, IServer> make, IServiceProvider services, RunMode mode) : IServer
{
    private readonly Lazy<IServer> _server = new(() => make(services));

    public IFeatureCollection Features => mode.Host == CommandHost.Web ? _server.Value.Features : s_none;

    private static readonly FeatureCollection s_none = [];

    /// <summary>Puts itself before the server that is registered so far; one that comes later wins, as a test server must.</summary>
    public static void Wrap(IServiceCollection services)
    {
        var server = services.LastOrDefault(s => s.ServiceType == typeof(IServer));
        if (server is null || services.Any(s => s.ServiceType == typeof(Marker))) return;

        services.AddSingleton<Marker>();
        services.AddSingleton<IServer>(sp => new SilentServer(Factory(server), sp, sp.GetRequiredService<RunMode>()));
    }

    /// <exception cref="KeelbackException">KB1510: another server took its place.</exception>
    public static void Require(IServiceProvider services)
    {
        if (services.GetService<IServer>() is { } server and not SilentServer) throw KeelbackErrors.ServerCameLater(server.GetType());
    }

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull =>
        mode.Host == CommandHost.Web ? _server.Value.StartAsync(application, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) =>
        _server.IsValueCreated ? _server.Value.StopAsync(cancellationToken) : Task.CompletedTask;

    public void Dispose()
    {
        if (_server.IsValueCreated) _server.Value.Dispose();
    }

    private static Func<IServiceProvider, IServer> Factory(ServiceDescriptor server) =>
        server.ImplementationFactory is { } make ? sp => (IServer)make(sp)
        : server.ImplementationType is { } type ? sp => (IServer)ActivatorUtilities.CreateInstance(sp, type)
        : _ => (IServer)server.ImplementationInstance!;

    private sealed class Marker;
}
