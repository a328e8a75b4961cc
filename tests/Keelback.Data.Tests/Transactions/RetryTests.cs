using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>Contexts that retry: what fails for a passing reason is done again, and never twice.</summary>
public sealed class RetryTests : ShopTest
{
    private readonly List<string> _ran = [];

    [Fact]
    public async Task The_whole_is_tried_again_on_an_empty_tracker()
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        var tries = 0;

        await db.InTransactionAsync(async ct =>
        {
            Assert.Empty(db.ChangeTracker.Entries());
            db.Add(new Invoice { Number = "A-1" });
            db.Note(() => "one");
            Call(db);
            await db.SaveChangesAsync(ct);
            if (++tries == 1) await FailForAMomentAsync(db, ct);
        });

        Assert.Equal(2, tries);
        Assert.Equal(["A-1"], await InvoicesAsync());
        Assert.Equal(["one"], await LedgerAsync());
        Assert.Equal(["called"], _ran);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_save_with_pending_work_is_tried_again_as_a_whole(bool sync)
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        var tries = 0;
        db.Note(() => ++tries == 1
            ? throw new NpgsqlException("a moment", new TimeoutException())
            : $"invoice {invoice.Id}");

        await db.SaveAsync(sync);

        Assert.Equal(2, tries);
        Assert.Equal([$"invoice {invoice.Id}"], await LedgerAsync());
        Assert.Equal(["A-1"], await InvoicesAsync());
    }

    [Fact]
    public async Task Work_alone_is_tried_again_too()
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        var tries = 0;
        db.Note(() => ++tries == 1 ? throw new NpgsqlException("a moment", new TimeoutException()) : "alone");

        await db.SaveChangesAsync();

        Assert.Equal(["alone"], await LedgerAsync());
    }

    [Fact]
    public async Task A_retry_that_would_lose_changes_does_not_happen()
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        db.Add(new Invoice { Number = "A-1" });

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => db.InTransactionAsync(async ct =>
        {
            await db.SaveChangesAsync(ct);
            await FailForAMomentAsync(db, ct);
        }));

        Assert.Equal(
            "KB1106: The transaction failed for a passing reason and was not tried again: 1 entities were tracked before it began, " +
            "and a retry would lose what it changed in them. Load and add entities inside InTransactionAsync(…).", refused.Message);
        Assert.Equal("40001", Assert.IsType<PostgresException>(refused.InnerException).SqlState);
        Assert.Empty(await InvoicesAsync());
    }

    [Theory, InlineData(LossyProxy.Lose.Answer), InlineData(LossyProxy.Lose.Commit)]
    public async Task A_commit_without_an_answer_is_looked_up_before_it_is_done_again(LossyProxy.Lose what)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var db = OpenRetrying(proxy.ConnectionString);
        var tries = 0;

        await db.InTransactionAsync(async ct =>
        {
            tries++;
            db.Add(new Invoice { Number = $"try {tries}" });
            db.Note(() => $"try {tries}");
            proxy.Arm();
            Call(db);
            await db.SaveChangesAsync(ct);
        });

        Assert.Equal(1, proxy.Lost);
        Assert.Equal(what == LossyProxy.Lose.Answer ? 1 : 2, tries);
        Assert.Equal([$"try {tries}"], await InvoicesAsync());
        Assert.Equal([$"try {tries}"], await LedgerAsync());
        Assert.Equal(["called"], _ran);
    }

    [Fact]
    public async Task A_commit_whose_outcome_cannot_be_learnt_is_not_done_again()
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, LossyProxy.Lose.Server);
        await using var services = new ServiceCollection().AddSingleton<TimeProvider>(new HastyClock()).BuildServiceProvider();
        await using var db = OpenRetrying(proxy.ConnectionString, options => options.UseApplicationServiceProvider(services));
        var xid = "";

        var unknown = await Assert.ThrowsAsync<KeelbackException>(() => db.InTransactionAsync(async ct =>
        {
            db.Add(new Invoice { Number = "A-1" });
            await db.SaveChangesAsync(ct);
            xid = await db.Database.SqlQuery<string>($"select pg_current_xact_id()::text as \"Value\"").SingleAsync(ct);
            proxy.Arm();
        }));

        Assert.Equal(
            $"KB1107: The connection broke during COMMIT, and whether transaction {xid} was committed could not be learnt. " +
            $"When the database is back, ask: select pg_xact_status('{xid}').", unknown.Message);
        Assert.Equal(["A-1"], await InvoicesAsync());
    }

    [Fact]
    public async Task Work_that_only_the_commit_writes_is_looked_up_too()
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, LossyProxy.Lose.Answer);
        await using var db = OpenRetrying(proxy.ConnectionString);

        await db.InTransactionAsync(_ =>
        {
            db.Note(() => "once");
            proxy.Arm();
            return Task.CompletedTask;
        });

        Assert.Equal(1, proxy.Lost);
        Assert.Equal(["once"], await LedgerAsync());
    }

    [Theory]
    [InlineData(LossyProxy.Lose.Answer, true), InlineData(LossyProxy.Lose.Answer, false)]
    [InlineData(LossyProxy.Lose.Commit, true), InlineData(LossyProxy.Lose.Commit, false)]
    public async Task A_save_with_pending_work_is_never_doubled_by_a_lost_answer(LossyProxy.Lose what, bool sync)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var db = OpenRetrying(proxy.ConnectionString);
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        var note = db.Note(() =>
        {
            proxy.Arm();
            return $"invoice {invoice.Id}";
        });
        Call(db);

        await db.SaveAsync(sync);
        await db.SaveAsync(sync);

        Assert.Equal(1, proxy.Lost);
        Assert.Equal(what == LossyProxy.Lose.Answer ? 1 : 2, note.Runs);
        Assert.Equal([$"invoice {invoice.Id}"], await LedgerAsync());
        Assert.Equal(EntityState.Unchanged, db.Entry(invoice).State);
        Assert.Equal(["called"], _ran);
    }

    private Shop OpenRetrying(string connectionString, Action<DbContextOptionsBuilder>? more = null) => Open(options =>
    {
        options.UseNpgsql(connectionString, npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(50), null));
        more?.Invoke(options);
    });

    private static Task<int> FailForAMomentAsync(Shop db, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"do $$ begin raise exception 'a moment' using errcode = '40001'; end $$", ct);

    private void Call(Shop db) => db.OnCommit(_ =>
    {
        _ran.Add("called");
        return Task.CompletedTask;
    });

    /// <summary>Each look at it is a minute later than the one before.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private long _minutes;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => 60 * Interlocked.Increment(ref _minutes);
    }
}
