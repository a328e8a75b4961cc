namespace Keelback.Jobs;

/// <summary>How the upper bound of the wait grows from one failed attempt to the next; never over the maximum.</summary>
public enum RetryBackoff
{
    /// <summary>It doubles: 5, 10, 20, 40 s.</summary>
    Exponential,

    /// <summary>It grows by the first: 5, 10, 15, 20 s.</summary>
    Linear,

    /// <summary>It stays: 5, 5, 5, 5 s.</summary>
    Constant,
}
