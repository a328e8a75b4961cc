using System.Reflection;
using Keelback.Data;
using Keelback.Jobs;

namespace Keelback.Testing;

/// <summary>What <c>OnCommit</c> was given, when its commit has come inside a test that is rolled back.</summary>
public sealed class CommitCallbacks
{
    private static readonly Assembly s_jobs = typeof(JobDrainer).Assembly;

    private readonly OuterTransaction _outer;

    internal CommitCallbacks(OuterTransaction outer) => _outer = outer;

    /// <summary>How many of the app's callbacks wait to be run.</summary>
    public int Count => _outer.Captured.Count(callback => callback.Method.Module.Assembly != s_jobs); // its own wake a worker

    /// <summary>Runs them in order, as the commit would have; the first that throws fails the test.</summary>
    public Task RunAsync(CancellationToken ct = default) => _outer.RunCapturedAsync(ct);
}
