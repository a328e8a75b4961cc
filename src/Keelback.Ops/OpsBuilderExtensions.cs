using Keelback.Ops;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>The jobs pages on a <see cref="KeelbackBuilder"/>.</summary>
public static class OpsBuilderExtensions
{
    /// <summary>Adds what the jobs pages need, and the agents that copy runs to where they can be searched and counted.</summary>
    /// <remarks>Safe to call twice. The agents take turns over all processes, unless <see cref="OpsOptions.RunAgents"/> is false. Needs <c>AddJobs</c> and <c>AddWeb</c>.</remarks>
    public static KeelbackBuilder AddOps(this KeelbackBuilder builder, Action<OpsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        var isFirst = services.All(s => s.ServiceType != typeof(OpsGate));
        if (isFirst) services.AddOptions<OpsOptions>().BindConfiguration("Keelback:Ops").ValidateOnStart();
        if (configure is not null) services.Configure(configure);
        if (!isFirst) return builder;

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OpsOptions>, OpsOptionsValidator>());
        services.AddSystemModule(SystemModule.Embedded("ops", typeof(OpsOptions).Assembly));
        services.AddAntiforgery();

        services.AddSingleton<DevelopmentLink>();
        services.AddSingleton<OpsGate>();
        services.AddSingleton<ActionGate>();
        services.AddSingleton<OpsMap>();
        services.AddHostedService<OpsStart>();

        services.AddSingleton<FigureCache>();
        services.AddSingleton<OverviewReader>();
        services.AddSingleton<RunSearcher>();
        services.AddSingleton<RunDetailsReader>();
        services.AddSingleton<AuditReader>();
        services.AddSingleton<WarningReader>();
        services.AddSingleton<LimitReader>();
        services.AddSingleton<EditableInput>();
        services.AddSingleton<KnownNames>();
        services.AddScoped<JobsView>();
        services.AddScoped<JobsDoing>();
        services.AddSingleton<PageEndpoints>();
        services.AddSingleton<ApiEndpoints>();
        services.AddSingleton<ProcessMeters>();
        services.AddHostedService(sp => sp.GetRequiredService<ProcessMeters>());
        services.AddSingleton<MetricsReader>();

        services.AddSingleton<AuditWriter>();
        services.AddSingleton<QueueActions>();
        services.AddSingleton<BulkActions>();
        services.AddSingleton<BulkCounter>();
        services.AddScoped<RunActions>();
        services.AddScoped<ScheduleActions>();
        services.AddSingleton<WorkerActions>();
        services.AddSingleton<RevocationActions>();
        services.AddSingleton<LimitActions>();

        services.AddSingleton<SearchAgent>();
        services.AddSingleton<QueueLooker>();
        services.AddSingleton<CleaningLook>();
        services.AddSingleton<HealthWatch>();
        services.AddSingleton<BulkAgent>();
        services.AddSingleton<Tidier>();
        services.AddHealthChecks().AddCheck<JobHealth>("jobs", tags: ["ready"], timeout: TimeSpan.FromSeconds(3));
        services.AddHostedService<OpsServices>();

        return builder.AddCheck<OpsCheck>();
    }
}
