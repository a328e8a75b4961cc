using Xunit.Abstractions;

namespace RecordStore.Tests;

/// <summary>Workers die at any moment; each invoice has one receipt all the same. The table of mails has no unique index to help.</summary>
public sealed class CheckoutUnderKillsTests(ITestOutputHelper output)
{
    // The whole of it takes two minutes; CI runs a third.
    private static readonly bool s_full = Environment.GetEnvironmentVariable("KEELBACK_KILLS") == "full";

    [Fact]
    public async Task Every_checkout_has_exactly_one_receipt_whoever_is_killed()
    {
        var (orders, kills, hits, time) = s_full ? (1_000, 30, 15, TimeSpan.FromSeconds(90)) : (300, 10, 4, TimeSpan.FromSeconds(30));
        await using var store = await CheckoutUnderKills.StartAsync();

        await Task.WhenAll(store.BuyAsync(orders, time), store.KillAsync(kills, time));
        await store.DrainAsync();

        var ledger = await store.ReadAsync();
        output.WriteLine($"{store.Accepted} accepted, {store.Kills} kills, {ledger}");
        Assert.Equal((orders, kills), (store.Accepted, store.Kills));
        Assert.Equal((orders, orders), (ledger.Invoices, ledger.Receipts));
        Assert.Equal((0, 0, 0), (ledger.InvoicesWithOtherThanOneReceipt, ledger.Undelivered, ledger.NotSucceeded));
        Assert.True(ledger.KillsThatHitAReceipt >= hits, $"Only {ledger.KillsThatHitAReceipt} kills hit a receipt that had begun.");
        Assert.True(ledger.SlowestRecovery <= TimeSpan.FromSeconds(20), $"A run waited {ledger.SlowestRecovery} after its worker's death.");
    }

    [Fact]
    public async Task A_worker_that_dies_at_the_worst_place_leaves_one_receipt_each()
    {
        await using var store = await CheckoutUnderKills.StartAsync();
        string[] places = ["before_effect", "before_commit", "after_commit"];
        foreach (var place in places)
        {
            using var worker = await store.StartWorkerAsync(place);
            await store.BuyAsync(4, TimeSpan.Zero);
            Assert.NotEqual(0, await worker.EndsAsync());
        }

        using var survivor = await store.StartWorkerAsync();
        await store.DrainAsync();

        var ledger = await store.ReadAsync();
        output.WriteLine(ledger.ToString());
        Assert.Equal((12, 12, 0L), (store.Accepted, ledger.Invoices, ledger.InvoicesWithOtherThanOneReceipt));
        Assert.Equal((0L, 0L), (ledger.Undelivered, ledger.NotSucceeded));
        Assert.Equal(2, ledger.KillsThatHitAReceipt); // after the commit there is nothing left to hit
    }
}
