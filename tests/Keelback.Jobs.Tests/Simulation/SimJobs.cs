namespace Keelback.Jobs.Tests.Simulation;

/// <summary>The one kind of job that simulated workers run, and the engine's own rules for what becomes of it.</summary>
internal static class SimJobs
{
    public static readonly JobKind Kind = new("work", typeof(SimJobs), new(), static _ => default);

    public static readonly JobsOptions Options = new() { Concurrency = 3, MinConcurrency = 1, CrashLimit = 3, MaxRetryDelay = TimeSpan.FromSeconds(20) };

    public static readonly Exception TooLate = new TimeoutException("It took too long.");
    public static readonly JobError Late = JobError.Said("TimedOut", "It took too long.");
    public static readonly JobError Revoked = JobError.Said("Revoked", "It may not run.");

    private static readonly JobKinds s_kinds = new([Kind]);

    public static string[] Names => s_kinds.Names;

    /// <summary>With chance of its own.</summary>
    public static RetryRules Rules(Random random) => new(s_kinds, Microsoft.Extensions.Options.Options.Create(Options), random);
}
