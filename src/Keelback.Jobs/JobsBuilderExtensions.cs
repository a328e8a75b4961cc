using System.Reflection;
using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback;

/// <summary>Jobs on a <see cref="KeelbackBuilder"/>.</summary>
public static class JobsBuilderExtensions
{
    /// <summary>Adds enqueueing, and the workers that run jobs in this process: those of the app's assembly and of what it references.</summary>
    /// <remarks>Safe to call twice: services register once, and configurations apply in order.</remarks>
    public static KeelbackBuilder AddJobs(this KeelbackBuilder builder, Action<JobsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.AddPostgres().Services;

        var isFirst = services.All(s => s.ServiceType != typeof(Submission));
        if (isFirst) services.AddOptions<JobsOptions>().BindConfiguration("Keelback:Jobs").ValidateOnStart();
        if (configure is not null) services.Configure(configure);
        if (!isFirst) return builder;

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<JobsOptions>, JobsOptionsValidator>());
        services.AddSystemModule(SystemModule.Embedded("jobs", typeof(JobsOptions).Assembly));

        services.AddSingleton(static _ => new JobTelemetry());
        services.AddSingleton<JobWakes>();
        services.AddSingleton<RunWaiters>();
        services.AddSingleton<QueueCatalog>();
        services.AddSingleton<LimitCatalog>();
        services.AddSingleton<JobConnections>();
        services.AddSingleton<SecretCipher>();
        services.AddSingleton<JobSecrets>();
        services.AddSingleton<EnqueueGate>();
        services.AddSingleton(static sp =>
        {
            var (db, queues) = (sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<QueueCatalog>());
            return new JobEvents(
                runs => EndStatement.RunAsync(db, queues.App, runs, CancellationToken.None), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<JobEvents>>());
        });
        services.AddSingleton<JobNews>();
        services.AddSingleton<CurrentAttempt>();
        services.AddSingleton<CallCarrier>();
        services.AddSingleton<EnqueueWriter>();
        services.AddSingleton<EnqueueRetry>();
        services.AddSingleton<Submission>();
        services.AddSingleton(sp => new JobKinds(sp.GetServices<JobKind>()));
        services.AddScoped<JobContext>();
        services.AddScoped(static sp => new JobClient(
            sp.GetRequiredService<Submission>(), sp.GetRequiredService<JobConnections>(), sp.GetRequiredService<QueueCatalog>(),
            sp.GetRequiredService<JobContext>(), sp.GetRequiredService<CurrentAttempt>(), sp.GetRequiredService<JobWakes>(), sp.GetRequiredService<RunWaiters>(),
            sp.GetRequiredService<JobNews>(), sp.GetRequiredService<JobSecrets>(), sp.GetRequiredService<IOptions<JobsOptions>>(), sp.GetRequiredService<TimeProvider>()));

        services.AddSingleton<ScheduleCatalog>();
        services.AddSingleton<ScheduleCalls>();
        services.AddSingleton<ScheduleStore>();
        services.AddSingleton<ScheduleSync>();
        services.AddSingleton<Ticker>();
        services.AddScoped(static sp => new JobSchedules(
            sp.GetRequiredService<JobConnections>(), sp.GetRequiredService<ScheduleStore>(), sp.GetRequiredService<ScheduleCalls>(),
            sp.GetRequiredService<EnqueueWriter>(), sp.GetRequiredService<JobWakes>(), sp.GetRequiredService<JobNews>()));

        services.AddSingleton(static sp => new JobWorkers(sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<QueueCatalog>(), sp.GetRequiredService<JobWakes>()));
        services.AddSingleton(static sp => new JobRevocations(sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<QueueCatalog>(), sp.GetRequiredService<JobWakes>()));

        services.AddSingleton<RunLogSink>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoggerProvider, RunLogProvider>());

        services.AddSingleton<PreparedStatements>();
        services.AddSingleton<Replacement>();
        services.AddSingleton<TransactionContexts>();
        services.AddSingleton<TransactionalAttempt>();
        services.AddSingleton<JobFilters>();
        services.AddSingleton<PayloadReader>();
        services.AddSingleton<RetryRules>();
        services.AddSingleton<OutcomeRules>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<UnknownKinds>();
        services.AddSingleton<JobDrainer>();
        services.TryAddSingleton<WorkerRegistry>();

        services.AddHostedService<PartitionKeeper>();
        services.AddSingleton<Exchange>();
        services.AddSingleton<Worker>();
        services.AddSingleton<Revoked>();
        services.AddSingleton<WorkerOrders>();
        services.AddSingleton<RunLogWriter>();
        services.AddSingleton<TimerLoop>();
        services.AddSingleton<JobRescuer>();
        services.AddSingleton<RetentionLoop>();
        services.AddSingleton<LimitLoop>();
        services.AddSingleton(static sp => new JobLimits(sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<QueueCatalog>(),
            sp.GetRequiredService<LimitCatalog>(), sp.GetRequiredService<LimitLoop>(), sp.GetRequiredService<JobWakes>()));
        services.AddSingleton(static sp => new JobQueues(sp.GetRequiredService<NpgsqlDataSource>(), sp.GetRequiredService<QueueCatalog>(),
            sp.GetRequiredService<LimitLoop>(), sp.GetRequiredService<JobWakes>()));
        services.AddHostedService<JobServices>();
        services.AdjustHost<JobsOptions>(static (host, jobs) =>
        {
            // The host must not give up before the worker has handed its jobs back.
            var needed = jobs.ShutdownTimeout + TimeSpan.FromSeconds(10);
            if (host.ShutdownTimeout < needed) host.ShutdownTimeout = needed;
        });

        return builder.AddCheck<JobsCheck>().AddJobsOf(EntryAssembly(builder));
    }

    /// <summary>Adds the jobs that an assembly declares, and those it references. <see cref="AddJobs"/> does so for the app's own.</summary>
    public static KeelbackBuilder AddJobsOf(this KeelbackBuilder builder, Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(builder);
        foreach (var kind in JobKinds.In(assembly)) builder.Services.AddJobKind(kind);
        return builder;
    }

    /// <summary>Adds a filter around attempts, in the order of the calls; the first is the outermost. One that is added twice, or for all and for a job, runs once.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="kind">Only around this job, by its name in the database; default: around all. One that the program does not have is found before the start (KB1286).</param>
    public static KeelbackBuilder AddJobFilter<TFilter>(this KeelbackBuilder builder, string? kind = null)
        where TFilter : class, IJobFilter
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddScoped<TFilter>();
        builder.Services.AddSingleton(new JobFilterRegistration(typeof(TFilter), kind));
        return builder;
    }

    /// <summary>Adds a filter that every run passes before it is written.</summary>
    public static KeelbackBuilder AddEnqueueFilter<TFilter>(this KeelbackBuilder builder)
        where TFilter : class, IEnqueueFilter
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IEnqueueFilter, TFilter>());
        return builder;
    }

    /// <summary>Adds one kind, and the class that it is resolved from.</summary>
    internal static void AddJobKind(this IServiceCollection services, JobKind kind)
    {
        if (services.Any(s => s.ImplementationInstance is JobKind present && present.IsSameAs(kind))) return;

        services.AddSingleton(kind);
        if (!kind.DeclaredBy.IsAbstract) services.TryAddScoped(kind.DeclaredBy);
    }

    private static Assembly EntryAssembly(KeelbackBuilder builder)
    {
        try
        {
            return Assembly.Load(new AssemblyName(builder.Environment.ApplicationName));
        }
        catch (Exception e) when (e is FileNotFoundException or ArgumentException or FileLoadException)
        {
            return Assembly.GetEntryAssembly() ?? typeof(JobsOptions).Assembly; // an application name that was set by hand
        }
    }
}
