namespace Keelback.Jobs;

/// <summary>Of the calls with one key, one run: what a second one finds decides <see cref="OnConflict"/>.</summary>
/// <remarks>The key may hold arguments' values, as <see cref="LimitAttribute"/> says: <c>[Unique("{customerId}")]</c>. In a graph it holds only for the job that is enqueued, not for those it waits for.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UniqueAttribute(string key) : JobMetadataAttribute
{
    /// <summary>1 to 200 characters once its parameters are filled in.</summary>
    public string Key { get; } = key;

    /// <summary>Among which calls the key is unique. Default: those of the same kind.</summary>
    public UniqueScope Scope { get; set; }

    /// <summary>
    /// How long after its enqueueing the key is taken at least, even when the run has ended and its retention is over, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>.
    /// Default: not longer than <see cref="Until"/> says.
    /// </summary>
    public string? Window { get; set; }

    /// <summary>Until when the run keeps its key. Default: until it has ended, however.</summary>
    public UniqueUntil Until { get; set; }

    /// <summary>What a call does that finds the key taken. Default: it gives the run that is there.</summary>
    public UniqueConflict OnConflict { get; set; }

    /// <exception cref="KeelbackException">KB1208: the window does not read.</exception>
    internal JobUnique ToOptions(string kind) => new(Key)
    {
        Scope = Scope,
        Window = JobDuration.Parse(Window, "its unique key's window", mistake => JobErrors.BadOptions(kind, mistake)),
        Until = Until,
        OnConflict = OnConflict,
    };
}

/// <summary>The unique key of one call; <see cref="UniqueAttribute"/> says what its members do.</summary>
/// <param name="Key">1 to 200 characters once its parameters are filled in.</param>
public sealed record JobUnique(string Key)
{
    /// <summary>1 to 200 characters once its parameters are filled in.</summary>
    public string Key { get; init; } = Key ?? throw new ArgumentNullException(nameof(Key));

    /// <summary>Among which calls the key is unique. Default: those of the same kind.</summary>
    public UniqueScope Scope { get; init; }

    /// <summary>How long after its enqueueing the key is taken at least. Default: not longer than <see cref="Until"/> says.</summary>
    public TimeSpan? Window { get; init; }

    /// <summary>Until when the run keeps its key. Default: until it has ended.</summary>
    public UniqueUntil Until { get; init; }

    /// <summary>What a call does that finds the key taken. Default: it gives the run that is there.</summary>
    public UniqueConflict OnConflict { get; init; }
}

/// <summary>Among which calls a key is unique.</summary>
public enum UniqueScope
{
    /// <summary>Those of the same kind.</summary>
    Kind,

    /// <summary>Those of the same queue.</summary>
    Queue,

    /// <summary>All of the app.</summary>
    App,
}

/// <summary>Until when a run keeps its unique key.</summary>
public enum UniqueUntil
{
    /// <summary>Until it has ended, retries included.</summary>
    Ended,

    /// <summary>Until its first attempt starts: what is enqueued from then on is a run of its own.</summary>
    Started,
}

/// <summary>What a call does that finds its unique key taken.</summary>
public enum UniqueConflict
{
    /// <summary>Enqueues nothing, and answers the id of the run that is there.</summary>
    Existing,

    /// <summary>Cancels the run that is there, a running attempt included, and takes its place.</summary>
    Replace,

    /// <summary>Throws KB1231, which names the run that is there.</summary>
    Reject,
}
