using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>What a package's options mean for the host.</summary>
internal static class HostOptionsExtensions
{
    /// <summary>Changes the host's options by those of a package. Options with a mistake change nothing: the start tells it, together with all others.</summary>
    public static void AdjustHost<TOptions>(this IServiceCollection services, Action<HostOptions, TOptions> adjust)
        where TOptions : class =>
        services.AddOptions<HostOptions>().PostConfigure<IOptions<TOptions>>((host, options) =>
        {
            try
            {
                adjust(host, options.Value);
            }
            catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
            {
                // The host is only being built.
            }
        });
}
