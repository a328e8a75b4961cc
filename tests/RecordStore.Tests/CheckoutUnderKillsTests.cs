using System.Diagnostics;
using Xunit.Abstractions;

namespace RecordStore.Tests;

/// <summary>Workers die at any moment; each invoice has one receipt all the same. The table of mails has no unique index to help.</summary>
public sealed class CheckoutUnderKillsTests(ITestOutputHelper output)
{
    // KEELBACK_KILLS=full: the whole of it, with the lease that apps have. It takes about four minutes; the short version one.
    private static readonly bool s_full = Environment.GetEnvironmentVariable("KEELBACK_KILLS") == "full";
    private static readonly int s_orders = s_full ? 1_000 : 100;
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(s_full ? 90 : 9);
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(s_full ? 15 : 6);

    // A machine that is busy with other tests shares out seconds of processor time in a minute; the whole version needs one of its own.
    private static readonly TimeSpan s_recovery = TimeSpan.FromSeconds(s_full ? 20 : 60);

    [Fact]
    public async Task Every_checkout_has_exactly_one_receipt_whoever_is_killed()
    {
        var (kills, hits) = s_full ? (30, 15) : (6, 3);
        await using var store = await CheckoutUnderKills.StartAsync(s_lease);

        var clock = Stopwatch.StartNew();
        await store.BuyAndKillAsync(s_orders, s_time, kills);
        var sold = clock.Elapsed;
        await store.DrainAsync();

        var ledger = await ReadAsync(store, sold);
        Assert.Equal(kills, store.Deaths);
        Assert.True(ledger.DeathsInAReceipt >= hits, $"Only {ledger.DeathsInAReceipt} of {kills} kills hit a receipt that had begun.");
    }

    [Fact]
    public async Task Every_checkout_has_exactly_one_receipt_when_workers_die_before_the_effect_before_the_commit_and_after_it()
    {
        var deaths = s_full ? 30 : 3;
        await using var store = await CheckoutUnderKills.StartAsync(s_lease);

        var clock = Stopwatch.StartNew();
        await store.BuyAndFailAsync(s_orders, s_time, deaths);
        var sold = clock.Elapsed;
        await store.DrainAsync();

        var ledger = await ReadAsync(store, sold);
        Assert.Equal(deaths, store.Deaths);
        Assert.True(ledger.DeathsInAJob >= deaths * 2 / 3, // after the commit there may be nothing left to hit
            $"Only {ledger.DeathsInAJob} of {deaths} deaths left a job unfinished.");
    }

    /// <summary>None is lost, none is there twice, and what a dead worker held runs again soon.</summary>
    private async Task<Ledger> ReadAsync(CheckoutUnderKills store, TimeSpan sold)
    {
        var ledger = await store.ReadAsync();
        output.WriteLine($"{store.Accepted} accepted in {sold.TotalSeconds:0.0} s, {store.Deaths} workers died, {ledger}");

        Assert.Equal(s_orders, store.Accepted);
        Assert.Equal((s_orders, s_orders), (ledger.Invoices, ledger.Receipts));
        Assert.Equal((0, 0, 0), (ledger.InvoicesWithOtherThanOneReceipt, ledger.Undelivered, ledger.NotSucceeded));
        Assert.True(ledger.SlowestRecovery <= s_recovery, $"A run waited {ledger.SlowestRecovery} after its worker's death.");
        return ledger;
    }
}
