namespace Keelback.Jobs;

/// <summary>What a worker says of itself in its row.</summary>
internal sealed record WorkerReport
{
    public int Concurrency { get; init; }

    public int Slots { get; init; }

    public int Abandoned { get; init; }

    public long Ended { get; init; }

    public bool IsPaused { get; init; }

    public bool IsStopping { get; init; }

    public long Memory { get; init; }

    public string? Version { get; init; }
}
