using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Data.Tests;

public sealed class PendingWorkTests : ShopTest
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Work_commits_with_the_rows_and_sees_their_keys(bool sync)
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1", Lines = { new() { Quantity = 2 } } };
        db.Add(invoice);
        db.Note(() => $"invoice {invoice.Id}, line {invoice.Lines[0].Id} of {invoice.Lines[0].InvoiceId}");

        await db.SaveAsync(sync);

        Assert.True(invoice.Id > 0);
        Assert.Equal([$"invoice {invoice.Id}, line {invoice.Lines[0].Id} of {invoice.Id}"], await LedgerAsync());
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Failing_work_leaves_no_row_and_the_entity_unsaved(bool sync)
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1", Lines = { new() { Quantity = 2 } } };
        var (broken, seen) = (true, 0L);
        db.Add(invoice);
        db.Note(() => broken && (seen = invoice.Id) > 0 ? throw new FormatException("no receipt") : $"invoice {invoice.Id}");

        await Assert.ThrowsAsync<FormatException>(() => db.SaveAsync(sync));

        Assert.True(seen > 0);
        Assert.Equal(0, invoice.Id);
        Assert.Equal(EntityState.Added, db.Entry(invoice).State);
        Assert.Empty(await InvoicesAsync());
        Assert.Empty(await LedgerAsync());

        broken = false;
        await db.SaveAsync(sync);

        Assert.Equal([$"invoice {invoice.Id}"], await LedgerAsync());
        Assert.Equal(["A-1"], await InvoicesAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_save_that_fails_keeps_the_work_for_the_next_one(bool sync)
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "" };
        db.Add(invoice);
        var note = db.Note(() => $"invoice {invoice.Number}");

        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveAsync(sync));
        Assert.Equal(0, note.Runs);

        invoice.Number = "A-1";
        await db.SaveAsync(sync);

        Assert.Equal(["invoice A-1"], await LedgerAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Work_commits_when_there_is_nothing_else_to_save(bool sync)
    {
        await using var db = Open();
        db.Note(() => "alone");

        Assert.Equal(0, await db.SaveAsync(sync));
        Assert.Equal(0, await db.SaveAsync(sync));

        Assert.Equal(["alone"], await LedgerAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task In_the_users_transaction_work_runs_at_save_and_commits_with_it(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        var note = db.Note(() => $"invoice {invoice.Id}");

        await db.SaveAsync(sync);
        Assert.Equal(1, note.Runs);
        Assert.Empty(await LedgerAsync());

        await transaction.CommitAsync();
        Assert.Equal([$"invoice {invoice.Id}"], await LedgerAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Failing_work_costs_the_users_transaction_only_that_save(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Add(new Invoice { Number = "A-1" });
        await db.SaveAsync(sync);
        var second = new Invoice { Number = "A-2" };
        db.Add(second);
        db.Note(() => throw new FormatException("no receipt"));

        await Assert.ThrowsAsync<FormatException>(() => db.SaveAsync(sync));
        db.ChangeTracker.Clear();
        db.Add(new Invoice { Number = "A-3" });
        await db.SaveAsync(sync);
        await transaction.CommitAsync();

        Assert.Equal(["A-1", "A-3"], await InvoicesAsync());
        Assert.Empty(await LedgerAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_rolled_back_transaction_leaves_nothing(bool sync)
    {
        await using var db = Open();
        await using (await db.Database.BeginTransactionAsync())
        {
            db.Add(new Invoice { Number = "A-1" });
            db.Note(() => "saved, then rolled back");
            await db.SaveAsync(sync);
            db.Note(() => "never saved");
        }

        await db.SaveAsync(sync);

        Assert.Empty(await InvoicesAsync());
        Assert.Empty(await LedgerAsync());
    }

    [Fact]
    public async Task Rolling_back_to_a_savepoint_drops_what_was_registered_after_it()
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Note(() => "before");
        await transaction.CreateSavepointAsync("here");
        db.Note(() => "after");

        await transaction.RollbackToSavepointAsync("here");
        db.Note(() => "later");
        await db.SaveChangesAsync();
        await transaction.CommitAsync();

        Assert.Equal(["before", "later"], await LedgerAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_commit_without_a_save_runs_the_work(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Note(() => "only this");

        if (sync) transaction.Commit();
        else await transaction.CommitAsync();

        Assert.Equal(["only this"], await LedgerAsync());
    }

    [Fact]
    public async Task A_commit_before_the_entities_are_saved_is_refused()
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        db.Note(() => $"invoice {invoice.Id}");

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => transaction.CommitAsync());

        Assert.Equal(
            "KB1104: The transaction commits while Shop has unsaved changes and work that waits for them. " +
            "Call SaveChangesAsync() before the commit.", refused.Message);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Changes_that_are_not_accepted_give_their_keys_to_the_work_and_keep_their_state(bool sync)
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        var seen = 0L;
        db.Note(() => $"invoice {seen = invoice.Id}");

        await db.SaveAsync(sync, accept: false);

        Assert.Equal([$"invoice {seen}"], await LedgerAsync());
        Assert.Equal(EntityState.Added, db.Entry(invoice).State);

        db.ChangeTracker.AcceptAllChanges();
        await db.SaveAsync(sync);

        Assert.Equal(seen, invoice.Id);
        Assert.Equal([$"invoice {seen}"], await LedgerAsync());
        Assert.Equal(["A-1"], await InvoicesAsync());
    }

    [Theory, InlineData(AutoTransactionBehavior.Never), InlineData(AutoTransactionBehavior.Always)]
    public async Task Work_gets_its_transaction_whatever_EF_was_told(AutoTransactionBehavior behavior)
    {
        await using var db = Open();
        db.Database.AutoTransactionBehavior = behavior;
        db.Add(new Invoice { Number = "A-1" });
        db.Note(() => throw new FormatException("no receipt"));

        await Assert.ThrowsAsync<FormatException>(() => db.SaveChangesAsync());

        Assert.Empty(await InvoicesAsync());
    }

    [Fact]
    public async Task Two_contexts_keep_their_work_apart()
    {
        await using var one = Open();
        await using var other = Open();
        one.Note(() => "one");
        other.Note(() => "other");

        await one.SaveChangesAsync();

        Assert.Equal(["one"], await LedgerAsync());
        await other.SaveChangesAsync();
        Assert.Equal(["one", "other"], await LedgerAsync());
    }

    [Fact]
    public async Task A_pooled_context_comes_back_empty()
    {
        await using var services = new ServiceCollection()
            .AddDbContextPool<Shop>(o => o.UseNpgsql(Database.DataSource).UseKeelback().UseLoggerFactory(Logged.Factory), poolSize: 1)
            .BuildServiceProvider();
        Shop first;
        await using (var scope = services.CreateAsyncScope())
        {
            first = scope.ServiceProvider.GetRequiredService<Shop>();
            first.Note(() => "of the first request");
            first.OnCommit(_ => throw new FormatException("of the first request"));
        }

        await using (var scope = services.CreateAsyncScope())
        {
            var second = scope.ServiceProvider.GetRequiredService<Shop>();
            Assert.Same(first, second);
            second.Note(() => "of the second request");
            await second.SaveChangesAsync();
        }

        Assert.Equal(["of the second request"], await LedgerAsync());
        Assert.Equal(["1101: Shop was disposed with 1 pieces of work and 1 callbacks that no commit followed"], Logged.Lines);
    }

    [Fact]
    public async Task Clearing_the_tracker_forgets_the_work_with_the_entities()
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        db.Note(() => $"invoice {invoice.Id}");

        db.ChangeTracker.Clear();
        await db.SaveChangesAsync();

        Assert.Empty(await LedgerAsync());
    }

    [Fact]
    public async Task Work_may_register_more_work()
    {
        await using var db = Open();
        db.Note(() =>
        {
            db.Note(() => "second");
            return "first";
        });

        await db.SaveChangesAsync();

        Assert.Equal(["first", "second"], await LedgerAsync());
    }

    [Fact]
    public async Task A_transaction_scope_is_refused_where_there_is_work()
    {
        await using var db = Open();
        using var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled);
        db.Note(() => "cannot be");

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => db.SaveChangesAsync());

        Assert.Equal("KB1102", refused.Code);
    }

    [Fact]
    public async Task A_context_without_UseKeelback_says_what_to_do()
    {
        await using var db = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(Database.DataSource).Options);

        var refused = Assert.Throws<KeelbackException>(() => db.Note(() => "nowhere"));

        Assert.Equal(
            "KB1101: Shop was set up without Keelback. Register it with AddData<Shop>(), or call UseKeelback() beside UseNpgsql().",
            refused.Message);
    }

    [Fact]
    public async Task Work_joins_a_transaction_that_was_begun_outside_of_EF()
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var db = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseKeelback().Options);
        await db.Database.UseTransactionAsync(transaction);
        db.Note(() => "mine");

        await db.SaveChangesAsync();
        Assert.Empty(await LedgerAsync());
        await transaction.CommitAsync();

        Assert.Equal(["mine"], await LedgerAsync());
    }
}
