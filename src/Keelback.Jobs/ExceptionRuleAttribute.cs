namespace Keelback.Jobs;

/// <summary>What an exception of one type means for a job. Of the rules that fit a thrown exception the one whose type is nearest counts.</summary>
/// <remarks>
/// Looked at is the exception that left the method, not its inner ones. A kind's own rules go before those of <see cref="JobsOptions.Rules"/>,
/// whatever their types. <see cref="ExpectedAttribute{TException}"/> says how it is logged, the others whether it is tried again: the two do not shadow each other.
/// </remarks>
public abstract class ExceptionRuleAttribute : JobMetadataAttribute
{
    private protected ExceptionRuleAttribute(Type exception) => Exception = exception;

    /// <summary>Exceptions of this type, and of those that derive from it.</summary>
    public Type Exception { get; }
}

/// <summary>Other attempts and waits for one type of exception: <c>[Retry&lt;HttpRequestException&gt;(MaxAttempts = 10, Delay = "00:00:01")]</c>.</summary>
public sealed class RetryAttribute<TException>() : RetryRuleAttribute(typeof(TException))
    where TException : Exception;

/// <summary>No further attempt after an exception of this type: the run has failed.</summary>
public sealed class NoRetryAttribute<TException>() : AttemptRuleAttribute(typeof(TException))
    where TException : Exception
{
    internal override bool EndsTheRun => true;
}

/// <summary>An exception that belongs to the job's business: logged at Information, by its message alone. Attempts and errors are recorded as ever.</summary>
public sealed class ExpectedAttribute<TException>() : ExpectedRuleAttribute(typeof(TException))
    where TException : Exception;

/// <summary>Whether another attempt follows an exception of one type.</summary>
public abstract class AttemptRuleAttribute : ExceptionRuleAttribute
{
    private protected AttemptRuleAttribute(Type exception)
        : base(exception)
    {
    }

    /// <summary>None does.</summary>
    internal virtual bool EndsTheRun => false;
}

/// <inheritdoc cref="RetryAttribute{TException}"/>
public abstract class RetryRuleAttribute : AttemptRuleAttribute
{
    private protected RetryRuleAttribute(Type exception)
        : base(exception)
    {
    }

    /// <summary>Attempts in all, 1 to 1,000, in place of the call's and the kind's. Default 0: as these have it.</summary>
    public int MaxAttempts { get; set; }

    /// <summary>Upper bound of the wait before the second attempt, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. Default: the kind's.</summary>
    public string? Delay { get; set; }

    /// <summary>The bound never grows over this, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. Default: the kind's, or <see cref="Delay"/> where that is more.</summary>
    public string? MaxDelay { get; set; }

    /// <summary>How the bound grows. Default: as the kind's.</summary>
    public RetryBackoff Backoff
    {
        get => GivenBackoff ?? RetryBackoff.Exponential;
        set => GivenBackoff = value;
    }

    /// <summary>Draws the wait evenly between zero and the bound; false: waits the bound itself. Default: as the kind has it.</summary>
    public bool Jitter
    {
        get => GivenJitter ?? true;
        set => GivenJitter = value;
    }

    /// <summary>Null: nothing was said, which cannot be told from the property.</summary>
    internal RetryBackoff? GivenBackoff { get; private set; }

    /// <inheritdoc cref="GivenBackoff"/>
    internal bool? GivenJitter { get; private set; }
}

/// <inheritdoc cref="ExpectedAttribute{TException}"/>
public abstract class ExpectedRuleAttribute : ExceptionRuleAttribute
{
    private protected ExpectedRuleAttribute(Type exception)
        : base(exception)
    {
    }
}
