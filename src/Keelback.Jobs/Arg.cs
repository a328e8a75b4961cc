using System.Diagnostics.CodeAnalysis;

namespace Keelback.Jobs;

/// <summary>An argument of a job: a value, or the result that another job will have.</summary>
/// <remarks>Left at its <c>default</c> it is no argument at all: an optional parameter then keeps its default.</remarks>
public readonly struct Arg<T>
{
    private readonly bool _given;

    internal Arg(T? value, Job? source) => (Value, Source, _given) = (value, source, true);

    internal T? Value { get; }

    internal Job? Source { get; }

    internal bool IsGiven => _given;

    /// <summary>A value that is known now.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "A call reads like the method's own; no one converts by name.")]
    public static implicit operator Arg<T>(T value) => new(value, null);
}
