using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>What every <c>AddX</c> of Keelback hangs on: the host that is being built.</summary>
/// <remarks>Made by <c>AddKeelback()</c>, or by <c>new KeelbackBuilder(builder)</c> where one package is used alone.</remarks>
public sealed class KeelbackBuilder(IHostApplicationBuilder host)
{
    /// <summary>The host under construction: a <c>WebApplicationBuilder</c> or a plain host builder.</summary>
    public IHostApplicationBuilder Host { get; } = host ?? throw new ArgumentNullException(nameof(host));

    /// <summary>The host's services.</summary>
    public IServiceCollection Services => Host.Services;

    /// <summary>The host's configuration; each package reads its own section, <c>Keelback:&lt;Package&gt;</c>.</summary>
    public IConfiguration Configuration => Host.Configuration;

    /// <summary>The host's environment; a private cluster is started in Development only.</summary>
    public IHostEnvironment Environment => Host.Environment;
}
