using System.Data;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Data.Tests;

public sealed class InTransactionTests : ShopTest
{
    [Fact]
    public async Task What_was_done_is_committed_and_the_result_returned()
    {
        await using var db = Open();

        var id = await db.InTransactionAsync(async ct =>
        {
            var invoice = new Invoice { Number = "A-1" };
            db.Add(invoice);
            await db.SaveChangesAsync(ct);
            Assert.Empty(await InvoicesAsync());
            return invoice.Id;
        });

        Assert.True(id > 0);
        Assert.Equal(["A-1"], await InvoicesAsync());
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Fact]
    public async Task An_exception_rolls_everything_back_and_is_thrown_as_it_is()
    {
        await using var db = Open();

        await Assert.ThrowsAsync<FormatException>(() => db.InTransactionAsync(async ct =>
        {
            await AddAsync(db, "A-1", ct);
            db.Note(() => "never");
            throw new FormatException("stop");
        }));
        await db.SaveChangesAsync();

        Assert.Empty(await InvoicesAsync());
        Assert.Empty(await LedgerAsync());
    }

    [Fact]
    public async Task An_inner_failure_costs_its_own_part_and_the_outer_goes_on()
    {
        await using var db = Open();
        var ran = new List<string>();

        await db.InTransactionAsync(async ct =>
        {
            await AddAsync(db, "A-1", ct);
            await Assert.ThrowsAsync<DbUpdateException>(() => db.InTransactionAsync(
                async inner =>
                {
                    await AddAsync(db, "A-2", inner);
                    db.Note(() => "inner");
                    db.OnCommit(_ => Add(ran, "inner"));
                    db.Add(new Invoice { Number = "A-1" });
                    await db.SaveChangesAsync(inner);
                },
                ct: ct));
            db.ChangeTracker.Clear();
            await db.InTransactionAsync(inner => AddAsync(db, "A-3", inner), ct: ct);
            db.Note(() => "outer");
            db.OnCommit(_ => Add(ran, "outer"));
            await db.SaveChangesAsync(ct);
        });

        Assert.Equal(["A-1", "A-3"], await InvoicesAsync());
        Assert.Equal(["outer"], await LedgerAsync());
        Assert.Equal(["outer"], ran);
    }

    [Fact]
    public async Task Three_levels_deep_only_the_failing_level_is_undone()
    {
        await using var db = Open();

        await db.InTransactionAsync(async ct =>
        {
            await AddAsync(db, "1", ct);
            await db.InTransactionAsync(
                async second =>
                {
                    await AddAsync(db, "2", second);
                    await Assert.ThrowsAsync<FormatException>(() => db.InTransactionAsync(
                        async third =>
                        {
                            await AddAsync(db, "3", third);
                            throw new FormatException("stop");
                        },
                        ct: second));
                    await AddAsync(db, "4", second);
                },
                ct: ct);
        });

        Assert.Equal(["1", "2", "4"], await InvoicesAsync());
    }

    [Fact]
    public async Task A_transaction_that_the_user_began_is_joined()
    {
        await using var db = Open();
        await using (await db.Database.BeginTransactionAsync())
            await db.InTransactionAsync(ct => AddAsync(db, "A-1", ct));

        Assert.Empty(await InvoicesAsync());
    }

    [Fact]
    public async Task Isolation_is_the_outermost_calls_choice()
    {
        await using var db = Open();

        await db.InTransactionAsync(
            async ct =>
            {
                Assert.Equal(["serializable"], await db.Database.SqlQuery<string>($"select current_setting('transaction_isolation') as \"Value\"").ToArrayAsync(ct));
                var refused = await Assert.ThrowsAsync<KeelbackException>(() =>
                    db.InTransactionAsync(_ => Task.CompletedTask, IsolationLevel.RepeatableRead, ct));
                Assert.Equal(
                    "KB1105: An inner InTransactionAsync asks for isolation level RepeatableRead, but the transaction has begun. " +
                    "Ask for it in the outermost call.", refused.Message);
            },
            IsolationLevel.Serializable);
    }

    [Fact]
    public async Task Work_without_a_save_commits_with_the_transaction()
    {
        await using var db = Open();

        await db.InTransactionAsync(_ =>
        {
            db.Note(() => "only this");
            return Task.CompletedTask;
        });

        Assert.Equal(["only this"], await LedgerAsync());
    }

    private static async Task AddAsync(Shop db, string number, CancellationToken ct)
    {
        db.Add(new Invoice { Number = number });
        await db.SaveChangesAsync(ct);
    }

    private static Task Add(List<string> list, string entry)
    {
        list.Add(entry);
        return Task.CompletedTask;
    }
}
