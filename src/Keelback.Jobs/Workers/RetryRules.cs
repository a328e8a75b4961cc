using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>Whether a failed attempt is followed by another, and when: the exception's rule says it, else the run (how often) and its kind (when), else the app's settings.</summary>
internal sealed class RetryRules(JobKinds kinds, IOptions<JobsOptions> options, Random? random = null)
{
    /// <summary>Until the next attempt; null: this was the last.</summary>
    public TimeSpan? After(Claim claim, Exception e)
    {
        var kind = kinds.Find(claim.Kind);
        var nearest = e is JobExit ? null : Nearest<AttemptRuleAttribute>(kind, e); // a job's own word goes before a rule for all exceptions
        if (nearest is { EndsTheRun: true }) return null;

        var rule = nearest as RetryRuleAttribute;
        var failures = claim.Attempt - claim.Crashes - claim.BaseAttempt; // crashes are counted apart, with a limit of their own
        var most = rule is { MaxAttempts: > 0 } ? rule.MaxAttempts : claim.MaxAttempts - claim.BaseAttempt;
        if (failures >= most) return null;

        return e is JobExit { Delay: { } exactly } ? exactly : Waits(kind, rule).Next(failures, random);
    }

    /// <summary>Whether the exception is one that the job's author has reckoned with.</summary>
    public bool IsExpected(string kind, Exception e) =>
        e is JobExit || Nearest<ExpectedRuleAttribute>(kinds.Find(kind), e) is not null;

    private Backoff Waits(JobKind? kind, RetryRuleAttribute? rule)
    {
        var waits = Backoff.Of(options.Value);
        if (kind is { Defaults: var job }) waits = waits.With(job.RetryDelay, job.MaxRetryDelay, job.Backoff, job.Jitter);

        return rule is null ? waits : waits.With(rule.Delay, rule.MaxDelay, rule.GivenBackoff, rule.GivenJitter);
    }

    private TRule? Nearest<TRule>(JobKind? kind, Exception e)
        where TRule : ExceptionRuleAttribute =>
        Nearest(kind?.Metadata.OfType<TRule>() ?? [], e) ?? Nearest(options.Value.Rules.OfType<TRule>(), e);

    private static TRule? Nearest<TRule>(IEnumerable<TRule> rules, Exception e)
        where TRule : ExceptionRuleAttribute
    {
        TRule? nearest = null;
        foreach (var rule in rules)
            if (rule.Exception.IsInstanceOfType(e) && (nearest is null || rule.Exception.IsSubclassOf(nearest.Exception)))
                nearest = rule;

        return nearest;
    }
}
