using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>The whole backend in one call.</summary>
public static class KeelbackApplicationBuilderExtensions
{
    /// <summary>Adds PostgreSQL, your context, jobs, the error contract, health, settings, checks and commands.</summary>
    /// <typeparam name="TDb">The app's context; added with Keelback's conventions.</typeparam>
    /// <remarks>Safe to call twice. Loads the content root's <c>.env</c>, which environment variables override.</remarks>
    public static KeelbackBuilder AddKeelback<TDb>(this IHostApplicationBuilder builder, Action<KeelbackOptions>? configure = null)
        where TDb : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddKeelback(configure).AddData<TDb>();
    }

    /// <summary>The same for an app without a context of its own.</summary>
    public static KeelbackBuilder AddKeelback(this IHostApplicationBuilder builder, Action<KeelbackOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var keelback = new KeelbackBuilder(builder);
        if (configure is not null) services.Configure(configure);
        if (services.Any(s => s.ServiceType == typeof(RunMode))) return keelback;

        DotEnvFile.Load(builder);
        services.AddSingleton<RunMode>();
        services.AddOptions<KeelbackOptions>().BindConfiguration("Keelback").Validate(
            o => o.DrainDelay is null || (o.DrainDelay >= TimeSpan.Zero && o.DrainDelay <= TimeSpan.FromMinutes(5)),
            $"Keelback:{nameof(KeelbackOptions.DrainDelay)} must be between 00:00:00 and 00:05:00.");

        keelback.AddPostgres().AddJobs().AddWeb().AddResources().AddOps();

        services.AddHostedService<AppMigrations>();
        AddSettings(keelback);
        AddHealth(keelback);
        AddShell(keelback);
        AddQuietDefaults(services);
        StartChecks.Wrap(services);

        return keelback;
    }

    private static void AddSettings(KeelbackBuilder keelback)
    {
        var services = keelback.Services;
        services.AddSettingsSection("Keelback", typeof(KeelbackOptions));
        services.AddSettingsSection("Keelback:Postgres", typeof(Postgres.PostgresOptions));
        services.AddSettingsSection("Keelback:Jobs", typeof(Jobs.JobsOptions));
        services.AddSettingsSection("Keelback:Web", typeof(Web.WebOptions));
        services.AddSettingsSection("Keelback:Ops", typeof(Ops.OpsOptions));
        services.AddSettingsSection("Keelback:Mail", typeof(Web.MailOptions));

        services.AddSingleton<PipelineState>();
        keelback.AddCheck<SettingsCheck>().AddCheck<PipelineCheck>().AddCheck<DatabaseCheck>();
    }

    private static void AddHealth(KeelbackBuilder keelback)
    {
        var services = keelback.Services;
        services.AddSingleton<PendingMigrations>();
        services.AddSingleton<Draining>();
        services.AddSingleton<DatabaseHealth>();
        services.AddSingleton<SchemaHealth>();
        services.AddSingleton<ReadinessLog>();
        services.AddHostedService(sp => sp.GetRequiredService<Draining>());
        services.AdjustHost<KeelbackOptions>((host, options) => host.ShutdownTimeout += options.DrainDelayIn(keelback.Environment));
        HealthEndpoints.Add(services);
    }

    private static void AddShell(KeelbackBuilder keelback)
    {
        var services = keelback.Services;
        services.TryAddSingleton(new Terminal(Console.Out, Console.Error, Console.In));
        SilentServer.Wrap(services);
        CommandLogging.Add(services);

        keelback.AddCommand<ServeCommand>().AddCommand<WorkerCommand>()
            .AddCommand<MigrateCommand>().AddCommand<MakeMigrationsCommand>()
            .AddCommand<CheckCommand>().AddCommand<SettingsCommand>().AddCommand<CronCommand>().AddCommand<JobsCommand>();
    }

    // First in the list of rules, so that whatever the app configures is stronger.
    private static void AddQuietDefaults(IServiceCollection services) => services.Insert(0,
        ServiceDescriptor.Singleton<IConfigureOptions<LoggerFilterOptions>>(new ConfigureOptions<LoggerFilterOptions>(filter =>
        {
            filter.Rules.Insert(0, new(null, "Microsoft.AspNetCore", LogLevel.Warning, null));
            filter.Rules.Insert(0, new(null, "Microsoft.EntityFrameworkCore", LogLevel.Warning, null));
            filter.Rules.Insert(0, new(null, "Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None, null)); // a line per probe
        })));
}
