using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>Where the keys of data protection are, which the pages' forms are sealed with: what one process wrote, another must read.</summary>
/// <remarks>
/// ASP.NET Core asks the options for a repository first (a host may set one by ReadOnlyDataProtectionKeyDirectory), and without one takes, in
/// this order, the folder that all instances of an Azure App Service have, the user's profile, Windows' registry, the process's memory. Which
/// it took is internal to it, so the order is followed here: https://learn.microsoft.com/aspnet/core/security/data-protection/configuration/default-settings
/// </remarks>
internal static class FormKeys
{
    /// <summary>Where they are when nobody said; null where somebody did, or where it is not ASP.NET Core's own key manager that keeps them.</summary>
    public static string? UndecidedPlace(IServiceProvider services)
    {
        var provider = services.GetService<IDataProtectionProvider>();
        if (provider is EphemeralDataProtectionProvider) return "in the memory of this process, which forgets them when it ends";
        if (provider?.GetType().Assembly != typeof(XmlKeyManager).Assembly || services.GetService<IKeyManager>() is not XmlKeyManager) return null;
        if (services.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository is not null || IsAppService) return null;

        return FileSystemXmlRepository.DefaultKeyStorageDirectory is { } folder ? $"in {folder.FullName} of this machine or container alone"
            : OperatingSystem.IsWindows() ? "in this machine's registry, or in the memory of this process"
            : "in the memory of this process, which forgets them when it ends";
    }

    private static bool IsAppService =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WEBSITE_INSTANCE_ID")) && !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME"));
}
