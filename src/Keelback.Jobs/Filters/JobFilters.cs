using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs;

/// <summary>The filters around the attempts of each kind: those that were added, in their order, then the kind's own attributes.</summary>
internal sealed class JobFilters(IEnumerable<JobFilterRegistration> registrations)
{
    private readonly JobFilterRegistration[] _registrations = [.. registrations];
    private readonly ConcurrentDictionary<JobKind, Func<IServiceProvider, IJobFilter>[]> _byKind = new();

    public ValueTask<ReadOnlyMemory<byte>> RunAsync(JobKind kind, JobCall call)
    {
        var filters = _byKind.GetOrAdd(kind, FiltersOf);
        return filters.Length == 0 ? kind.Run(call) : RunAsync(filters, kind, call);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> RunAsync(Func<IServiceProvider, IJobFilter>[] filters, JobKind kind, JobCall call)
    {
        var next = Ending(async job => job.Result = await kind.Run(call));
        foreach (var make in filters.Reverse())
        {
            var (filter, inner) = (make(call.Services), next);
            next = Ending(job => filter.InvokeAsync(job, inner));
        }

        var invocation = new JobInvocation(kind, call, call.Services.GetRequiredService<JobContext>());
        await next(invocation);
        return invocation.Result;
    }

    // A replaced attempt has done its part: to the filters around, how it leaves the method is no error.
    private static JobFilterNext Ending(JobFilterNext next) => async job =>
    {
        try
        {
            await next(job);
        }
        catch (JobReplacedException)
        {
            job.Result = default;
        }
    };

    private Func<IServiceProvider, IJobFilter>[] FiltersOf(JobKind kind) => kind.DeclaredBy == typeof(Job) ? [] : // the engine's own
    [
        .. _registrations.Where(r => r.Kind is null || r.Kind == kind.Name).DistinctBy(r => r.Filter)
            .Select(r => (Func<IServiceProvider, IJobFilter>)(services => (IJobFilter)services.GetRequiredService(r.Filter))),
        .. kind.Metadata.OfType<IJobFilter>().Select(filter => (Func<IServiceProvider, IJobFilter>)(_ => filter)),
    ];
}

/// <summary>A filter that was added, for one kind or for all.</summary>
internal sealed record JobFilterRegistration(Type Filter, string? Kind);
