namespace Keelback.Jobs;

/// <summary>The run whose attempt the calling code is part of, so that what it enqueues is known as its child.</summary>
internal sealed class CurrentAttempt
{
    private readonly AsyncLocal<long?> _run = new();

    /// <summary>Null: not inside an attempt.</summary>
    public long? Run => _run.Value;

    /// <summary>For the rest of the calling method, and what it calls.</summary>
    public void Begin(long run) => _run.Value = run;
}
