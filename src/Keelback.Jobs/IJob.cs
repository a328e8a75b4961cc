namespace Keelback.Jobs;

/// <summary>A <see cref="Job{T}"/> as a source of its result. Covariant: a job that returns a <c>List&lt;int&gt;</c> is one of an <c>IEnumerable&lt;int&gt;</c>.</summary>
/// <typeparam name="T">What it returns.</typeparam>
public interface IJob<out T>
{
    internal Job Description { get; }
}
