using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Finds, before the start: two jobs of one name, schedules that cannot be, and a pool that is too small for the concurrency.</summary>
internal sealed class JobsCheck(IServiceProvider services) : ICheck
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        foreach (var (first, second) in JobKinds.Duplicates(services.GetServices<JobKind>()))
            Add(findings, JobErrors.DuplicateKind(first, second));

        foreach (var mistake in ScheduleMistakes()) Add(findings, mistake);
        if (PoolMistake() is { } pool) Add(findings, pool);

        return default;
    }

    private IReadOnlyList<KeelbackException> ScheduleMistakes()
    {
        try
        {
            return services.GetRequiredService<ScheduleCatalog>().Mistakes;
        }
        catch (OptionsValidationException)
        {
            return []; // their own check tells them
        }
    }

    private KeelbackException? PoolMistake()
    {
        try
        {
            var options = services.GetRequiredService<IOptions<JobsOptions>>().Value;
            return options.RunWorker ? PoolRule.Mistake(options, services.GetRequiredService<NpgsqlDataSource>()) : null;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null; // settings that do not read: their own check tells them
        }
    }

    private static void Add(Findings findings, KeelbackException mistake) => findings.Error(mistake.Code, mistake.Message[(mistake.Code.Length + 2)..]);
}
