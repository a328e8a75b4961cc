using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What a run's call said, for another call like it.</summary>
internal static class CopyOptions
{
    /// <param name="run">The old run.</param>
    /// <param name="kind">Of both. What it makes of the arguments is left to it, since those of the copy may be others.</param>
    /// <param name="arguments">The old ones, as they are stored.</param>
    public static EnqueueOptions Of(RunDetails run, JobKind kind, ReadOnlyMemory<byte> arguments)
    {
        var (tenant, limits) = OfKind(kind, arguments);
        return new()
        {
            Queue = run.Queue,
            Priority = run.Priority,
            MaxAttempts = run.MaxAttempts,
            Timeout = run.Timeout,
            KeepResult = run.ResultKept is null ? true : run.ResultKept == TimeSpan.Zero ? false : null,
            ResultKept = run.ResultKept > TimeSpan.Zero ? run.ResultKept : null,
            ExpiresAfter = run.ExpiresAt - (run.DueAt ?? run.EnqueuedAt) is { } after && after > TimeSpan.Zero ? after : null,
            Tenant = run.Tenant == tenant ? null : run.Tenant,
            Limits = [.. run.Limits.Except(limits)],
            Tags = run.Tags,
        };
    }

    private static (string? Tenant, IReadOnlyList<string> Limits) OfKind(JobKind kind, ReadOnlyMemory<byte> arguments)
    {
        var call = new PlannedRun(kind, arguments, null) { BoundParameters = [] };
        try
        {
            call.Check();
            return (call.Tenant, call.Limits);
        }
        catch (KeelbackException)
        {
            return (null, []); // arguments of an older version, which the kind's keys no longer fit
        }
    }
}
