using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Finds, before the start: two jobs of one name, versions and secrets that lack something, filters of no job, schedules that cannot be, transactions on the wrong context, and a pool that is too small for the concurrency.</summary>
internal sealed class JobsCheck(IServiceProvider services) : ICheck
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        foreach (var (first, second) in JobKinds.Duplicates(services.GetServices<JobKind>()))
            Add(findings, JobErrors.DuplicateKind(first, second));

        foreach (var kind in services.GetServices<JobKind>().Where(kind => kind.Defaults.Version > 1))
            for (var from = 1; from < kind.Defaults.Version; from++)
                if (!kind.Metadata.OfType<UpgradeAttribute>().Any(upgrade => upgrade.From == from)) Add(findings, JobErrors.NoUpgrade(kind, from));

        if (services.GetServices<JobKind>().FirstOrDefault(kind => kind.HoldsSecrets) is { } secretive && !HasSecretKey())
            Add(findings, JobErrors.NoSecretKey(secretive.Name));

        foreach (var kind in services.GetServices<JobKind>())
            foreach (var key in kind.Keys)
                if (KeyTemplate.SecretIn(key, kind) is { } secret) Add(findings, JobErrors.SecretInKey(kind.Name, key, secret));

        string[] names = [.. services.GetServices<JobKind>().Select(kind => kind.Name)];
        foreach (var filter in services.GetServices<JobFilterRegistration>())
            if (filter.Kind is { } name && !names.Contains(name, StringComparer.Ordinal))
                Add(findings, JobErrors.FilterOfNoKind(filter.Filter, name, NearestName.Of(name, names)));

        foreach (var mistake in ScheduleMistakes()) Add(findings, mistake);
        if (WorkerOptions() is { } worker)
        {
            var contexts = services.GetRequiredService<TransactionContexts>();
            foreach (var mistake in services.GetServices<JobKind>().Select(contexts.Mistake).OfType<KeelbackException>()) Add(findings, mistake);
            if (PoolMistake(worker) is { } pool) Add(findings, pool);
        }

        return default;
    }

    private IReadOnlyList<KeelbackException> ScheduleMistakes()
    {
        try
        {
            return services.GetRequiredService<ScheduleCatalog>().Mistakes;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return []; // their own check tells them
        }
    }

    /// <summary>Null: no job runs here, or the settings do not read, which their own check tells.</summary>
    private JobsOptions? WorkerOptions()
    {
        try
        {
            var options = services.GetRequiredService<IOptions<JobsOptions>>().Value;
            return options.RunWorker ? options : null;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null;
        }
    }

    private KeelbackException? PoolMistake(JobsOptions options)
    {
        try
        {
            return PoolRule.Mistake(options, services.GetRequiredService<NpgsqlDataSource>());
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null; // settings that do not read: their own check tells them
        }
    }

    private bool HasSecretKey()
    {
        try
        {
            return services.GetRequiredService<JobSecrets>().HasKey;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return true; // settings that do not read: their own check tells them
        }
    }

    private static void Add(Findings findings, KeelbackException mistake) => findings.Error(mistake.Code, mistake.Text);
}
