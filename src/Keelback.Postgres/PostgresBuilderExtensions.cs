using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback;

/// <summary>PostgreSQL on a <see cref="KeelbackBuilder"/>.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Adds one <see cref="NpgsqlDataSource"/> for the whole app, and the <c>keelback</c> schema behind it.</summary>
    /// <remarks>Safe to call twice: services register once, and configurations apply in order.</remarks>
    public static KeelbackBuilder AddPostgres(this KeelbackBuilder builder, Action<PostgresOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        // Once: bound again, the configuration would win over what code has set in between.
        if (services.All(s => s.ServiceType != typeof(ProjectCluster)))
        {
            services.AddOptions<PostgresOptions>()
                .BindConfiguration("Keelback:Postgres")
                .PostConfigure(o => o.App = o.App.Length > 0 ? o.App : builder.Environment.ApplicationName)
                .ValidateOnStart();
        }

        if (configure is not null) services.Configure(configure);

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ProjectCluster>();
        services.TryAddSingleton<SystemSchema>();
        services.AddSystemModule(SystemModule.Embedded("postgres", typeof(PostgresOptions).Assembly));
        services.TryAddSingleton(sp => NpgsqlDataSource.Create(
            ConnectionSource.Find(sp.GetRequiredService<IOptions<PostgresOptions>>().Value, builder.Configuration, builder.Environment,
                sp.GetRequiredService<ProjectCluster>())));

        services.TryAddSingleton<StartPatience>();
        services.TryAddSingleton<LeaseStore>();
        services.TryAddSingleton<WakeUps>();
        services.TryAddSingleton<WakeUpLink>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DatabaseStart>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WakeUpListener>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WakeUpRelay>());

        return builder;
    }

    /// <summary>Adds a package's scripts, once; scripts run in the order in which the packages were added.</summary>
    internal static void AddSystemModule(this IServiceCollection services, SystemModule module)
    {
        if (!services.Any(s => s.ImplementationInstance is SystemModule present && present.Name == module.Name))
            services.AddSingleton(module);
    }
}
