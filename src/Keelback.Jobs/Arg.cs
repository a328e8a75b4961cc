namespace Keelback.Jobs;

/// <summary>An argument of a job: a value, or the result that another job will have.</summary>
public readonly struct Arg<T>
{
    private Arg(T? value, Job? source) => (Value, Source) = (value, source);

    internal T? Value { get; }

    internal Job? Source { get; }

    /// <summary>A value that is known now.</summary>
    public static implicit operator Arg<T>(T value) => new(value, null);

    /// <summary>The result of <paramref name="job"/>, when it is there.</summary>
    public static implicit operator Arg<T>(Job<T> job) => new(default, job ?? throw new ArgumentNullException(nameof(job)));
}
