namespace RecordStore;

/// <summary>Settings of the store. Read from the <c>RecordStore</c> section.</summary>
public sealed class StoreSettings
{
    /// <summary>Receipts take a random time up to this. Default zero; the crash tests need receipts that can be killed half-way.</summary>
    public TimeSpan SlowReceipts { get; set; }

    internal Task PretendToWorkAsync(TimeProvider clock, CancellationToken ct) =>
        SlowReceipts > TimeSpan.Zero ? Task.Delay(SlowReceipts * Random.Shared.NextDouble(), clock, ct) : Task.CompletedTask;
}
