using Microsoft.EntityFrameworkCore;

namespace Keelback.Data.Tests;

public sealed class OnCommitTests : ShopTest
{
    private readonly List<string> _ran = [];

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_callback_follows_a_save_without_a_transaction_and_sees_the_key(bool sync)
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        db.OnCommit(async _ => _ran.Add($"{invoice.Id > 0} {string.Join(',', await InvoicesAsync())}"));
        Assert.Empty(_ran);

        await db.SaveAsync(sync);
        await db.SaveAsync(sync);

        Assert.Equal(["True A-1"], _ran);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_callback_waits_for_the_users_commit_and_runs_in_order(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Call(db, "first");
        db.Add(new Invoice { Number = "A-1" });
        await db.SaveAsync(sync);
        Call(db, "second");
        Assert.Empty(_ran);

        if (sync) transaction.Commit();
        else await transaction.CommitAsync();

        Assert.Equal(["first", "second"], _ran);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_rolled_back_transaction_drops_its_callbacks(bool sync)
    {
        await using var db = Open();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            Call(db, "never");
            db.Add(new Invoice { Number = "A-1" });
            await db.SaveAsync(sync);
            if (sync) transaction.Rollback();
            else await transaction.RollbackAsync();
        }

        Call(db, "later");
        await db.SaveAsync(sync);

        Assert.Equal(["later"], _ran);
    }

    [Fact]
    public async Task A_callback_of_a_save_that_was_rolled_back_does_not_wait_for_the_next_commit()
    {
        await using var db = Open();
        db.Add(new Invoice { Number = "A-1" });
        Call(db, "for A-1");
        await using (await db.Database.BeginTransactionAsync()) await db.SaveChangesAsync();

        db.Add(new Invoice { Number = "A-2" });
        await db.SaveChangesAsync();

        Assert.Empty(_ran);
    }

    [Fact]
    public async Task A_savepoint_that_is_rolled_back_drops_what_came_after_it()
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Call(db, "before");
        await transaction.CreateSavepointAsync("a");
        Call(db, "in a");
        await transaction.CreateSavepointAsync("b");
        Call(db, "in b");
        await transaction.ReleaseSavepointAsync("b");
        await transaction.RollbackToSavepointAsync("a");
        Call(db, "after");

        await transaction.CommitAsync();

        Assert.Equal(["before", "after"], _ran);
    }

    [Fact]
    public async Task A_callback_that_throws_is_logged_and_the_next_one_runs()
    {
        await using var db = Open();
        db.Add(new Invoice { Number = "A-1" });
        db.OnCommit(_ => throw new FormatException("no mail"));
        Call(db, "next");

        await db.SaveChangesAsync();

        Assert.Equal(["next"], _ran);
        Assert.Equal(["1100: An OnCommit callback failed; the commit stands (no mail)"], Logged.Lines);
    }

    [Fact]
    public async Task A_callback_may_save_and_register_again()
    {
        await using var db = Open();
        db.Add(new Invoice { Number = "A-1" });
        db.OnCommit(async ct =>
        {
            db.Add(new Invoice { Number = "A-2" });
            Call(db, "inner");
            await db.SaveChangesAsync(ct);
            _ran.Add("outer");
        });

        await db.InTransactionAsync(ct => db.SaveChangesAsync(ct));

        Assert.Equal(["inner", "outer"], _ran);
        Assert.Equal(["A-1", "A-2"], await InvoicesAsync());
    }

    [Fact]
    public async Task A_save_that_fails_keeps_the_callback_for_the_one_that_succeeds()
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "" };
        db.Add(invoice);
        Call(db, "saved");
        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());
        Assert.Empty(_ran);

        invoice.Number = "A-1";
        await db.SaveChangesAsync();

        Assert.Equal(["saved"], _ran);
    }

    private void Call(Shop db, string name) => db.OnCommit(_ =>
    {
        _ran.Add(name);
        return Task.CompletedTask;
    });
}
