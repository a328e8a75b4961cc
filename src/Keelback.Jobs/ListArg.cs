using System.Diagnostics.CodeAnalysis;

namespace Keelback.Jobs;

/// <summary>A list as an argument of a job: a list, or the result that another job will have, whichever kind of list that is.</summary>
/// <remarks>All of them are one JSON array, so <see cref="Job.All{T}"/> fits a parameter of type <c>IReadOnlyList</c> as well as an array.</remarks>
public readonly struct ListArg<T>
{
    private readonly bool _given;

    private ListArg(IEnumerable<T>? value, Job? source) => (Value, Source, _given) = (value, source, true);

    internal IEnumerable<T>? Value { get; }

    internal Job? Source { get; }

    internal bool IsGiven => _given;

    /// <summary>A list that is known now.</summary>
    public static implicit operator ListArg<T>(T[]? value) => new(value, null);

    /// <inheritdoc cref="op_Implicit(T[])"/>
    public static implicit operator ListArg<T>(List<T>? value) => new(value, null);

    /// <summary>The result of <paramref name="job"/>, when it is there.</summary>
    public static implicit operator ListArg<T>(Job<T[]> job) => Of(job);

    /// <inheritdoc cref="op_Implicit(Job{T[]})"/>
    public static implicit operator ListArg<T>(Job<List<T>> job) => Of(job);

    /// <inheritdoc cref="op_Implicit(Job{T[]})"/>
    public static implicit operator ListArg<T>(Job<IReadOnlyList<T>> job) => Of(job);

    /// <inheritdoc cref="op_Implicit(Job{T[]})"/>
    public static implicit operator ListArg<T>(Job<IReadOnlyCollection<T>> job) => Of(job);

    /// <inheritdoc cref="op_Implicit(Job{T[]})"/>
    public static implicit operator ListArg<T>(Job<IEnumerable<T>> job) => Of(job);

    /// <inheritdoc cref="op_Implicit(Job{T[]})"/>
    public static implicit operator ListArg<T>(Job<IList<T>> job) => Of(job);

    /// <summary>An argument that is an array, as a callback gets it.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "A call reads like the method's own; no one converts by name.")]
    public static implicit operator ListArg<T>(Arg<T[]> argument) => argument.IsGiven ? new(argument.Value, argument.Source) : default;

    private static ListArg<T> Of(Job job) => new(null, job ?? throw new ArgumentNullException(nameof(job)));
}
