using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary><c>db.Enqueue</c>: the run exists if and only if the rows do.</summary>
public sealed class ContextEnqueueTests : StoreTest
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_save_enqueues_with_the_generated_key_in_a_transaction_of_its_own(bool sync)
    {
        await using var db = Open();
        var order = Add(db, "A-1");

        await db.SaveAsync(sync);
        await db.SaveAsync(sync);

        Assert.Null(db.Database.CurrentTransaction);
        await ExpectAsync(["A-1"], ["A-1"]);
        Assert.True(order.Id > 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_save_with_nothing_but_a_job_enqueues_it(bool sync)
    {
        await using var db = Open();
        db.Enqueue(() => Receipt.Call(), new() { Delay = TimeSpan.FromHours(1) });

        await db.SaveAsync(sync);

        Assert.Equal(1, await Host.ScalarAsync<long>("select count(*) from keelback.timer"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task In_the_users_transaction_it_appears_at_their_commit(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Add(db, "A-1");

        await db.SaveAsync(sync);
        await ExpectAsync([], []);

        if (sync) transaction.Commit();
        else await transaction.CommitAsync();
        await ExpectAsync(["A-1"], ["A-1"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_rolled_back_transaction_leaves_no_job(bool sync)
    {
        await using var db = Open();
        await using (await db.Database.BeginTransactionAsync())
        {
            Add(db, "A-1");
            await db.SaveAsync(sync);
            db.Enqueue(() => Receipt.Call());
        }

        await db.SaveAsync(sync);

        await ExpectAsync([], []);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_row_that_breaks_a_rule_leaves_no_job_until_it_is_mended(bool sync)
    {
        await using var db = Open();
        var order = Add(db, "");

        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveAsync(sync));
        await ExpectAsync([], []);

        order.Number = "A-1";
        await db.SaveAsync(sync);
        await ExpectAsync(["A-1"], ["A-1"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_failing_lambda_rolls_the_rows_back_and_leaves_them_unsaved(bool sync)
    {
        await using var db = Open();
        var order = new Order { Number = "A-1" };
        var broken = true;
        db.Add(order);
        db.Enqueue(() => Send(order));
        db.Enqueue(() => broken ? throw new FormatException("no receipt") : Send(order));

        await Assert.ThrowsAsync<FormatException>(() => db.SaveAsync(sync));
        Assert.Equal((EntityState.Added, 0), (db.Entry(order).State, order.Id));
        await ExpectAsync([], []);

        broken = false;
        await db.SaveAsync(sync);
        await ExpectAsync(["A-1"], ["A-1", "A-1"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_oversized_payload_rolls_the_rows_back(bool sync)
    {
        await using var db = Open();
        Add(db, "A-1");
        db.Enqueue(Oversized);

        var refused = await Assert.ThrowsAsync<KeelbackException>(() => db.SaveAsync(sync));

        Assert.Equal("KB1206", refused.Code);
        await ExpectAsync([], []);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_oversized_payload_costs_the_users_transaction_only_that_save(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Add(db, "A-1");
        await db.SaveAsync(sync);
        Add(db, "A-2");
        db.Enqueue(Oversized);

        await Assert.ThrowsAsync<KeelbackException>(() => db.SaveAsync(sync));
        db.ChangeTracker.Clear();
        Add(db, "A-3");
        await db.SaveAsync(sync);
        await transaction.CommitAsync();

        await ExpectAsync(["A-1", "A-3"], ["A-1", "A-3"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Changes_that_are_not_accepted_enqueue_once_with_their_keys(bool sync)
    {
        await using var db = Open();
        var order = Add(db, "A-1");

        await db.SaveAsync(sync, accept: false);
        Assert.Equal(EntityState.Added, db.Entry(order).State);
        await ExpectAsync(["A-1"], ["A-1"]);

        db.ChangeTracker.AcceptAllChanges();
        await db.SaveAsync(sync);
        await ExpectAsync(["A-1"], ["A-1"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Rolling_back_to_a_savepoint_drops_the_jobs_after_it_saved_or_not(bool sync)
    {
        await using var db = Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Add(db, "A-1");
        await db.SaveAsync(sync);
        await transaction.CreateSavepointAsync("here");
        Add(db, "A-2");
        await db.SaveAsync(sync);
        db.Enqueue(() => Receipt.Call());

        await transaction.RollbackToSavepointAsync("here");
        Add(db, "A-3");
        await db.SaveAsync(sync);
        await transaction.CommitAsync();

        await ExpectAsync(["A-1", "A-3"], ["A-1", "A-3"]);
    }

    [Fact]
    public async Task An_inner_part_that_fails_takes_its_jobs_along()
    {
        await using var db = Open();

        await db.InTransactionAsync(async ct =>
        {
            Add(db, "A-1");
            await db.SaveChangesAsync(ct);
            await Assert.ThrowsAsync<FormatException>(() => db.InTransactionAsync(async inner =>
            {
                Add(db, "A-2");
                await db.SaveChangesAsync(inner);
                throw new FormatException("of the inner part");
            }));
        });

        await ExpectAsync(["A-1"], ["A-1"]);
    }

    [Fact]
    public async Task Two_contexts_enqueue_apart()
    {
        await using var one = Open();
        await using var other = Open();
        Add(one, "one");
        Add(other, "other");

        await one.SaveChangesAsync();
        await ExpectAsync(["one"], ["one"]);

        await other.SaveChangesAsync();
        await ExpectAsync(["one", "other"], ["one", "other"]);
    }

    [Theory, InlineData(true, 2), InlineData(false, 0)]
    public async Task Two_contexts_in_one_transaction_share_its_end(bool commits, int jobs)
    {
        await using var connection = await Host.Db.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var one = Open(o => o.UseNpgsql(connection));
            await using var other = Open(o => o.UseNpgsql(connection));
            await one.Database.UseTransactionAsync(transaction);
            await other.Database.UseTransactionAsync(transaction);
            Add(one, "one");
            Add(other, "other");

            await one.SaveChangesAsync();
            await other.SaveChangesAsync();
            await ExpectAsync([], []);

            if (commits) await transaction.CommitAsync();
        }

        string[] expected = [.. new[] { "one", "other" }.Take(jobs)];
        await ExpectAsync(expected, expected);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_pooled_context_enqueues_its_own_and_comes_back_without_the_rest(bool sync)
    {
        await using var first = Host.Services.CreateAsyncScope();
        var db = first.ServiceProvider.GetRequiredService<Store>();
        Add(db, "A-1");
        await db.SaveAsync(sync);
        Add(db, "never saved");
        await first.DisposeAsync();

        await using var second = Host.Services.CreateAsyncScope();
        Assert.Same(db, second.ServiceProvider.GetRequiredService<Store>());
        Add(db, "A-2");
        await db.SaveAsync(sync);

        await ExpectAsync(["A-1", "A-2"], ["A-1", "A-2"]);
    }

    [Fact]
    public async Task A_context_without_UseKeelback_is_refused_at_the_call()
    {
        await using var db = new Store(new DbContextOptionsBuilder<Store>()
            .UseNpgsql(Host.Db).UseApplicationServiceProvider(Host.Services).Options);

        Assert.Equal("KB1101", Assert.Throws<KeelbackException>(() => db.Enqueue(() => Receipt.Call())).Code);
    }

    private protected override void Add(IServiceCollection services) => services.AddDbContextPool<Store>(
        (sp, options) => options.UseNpgsql(sp.GetRequiredService<NpgsqlDataSource>()).UseKeelback(), poolSize: 1);

    private static Order Add(Store db, string number)
    {
        var order = new Order { Number = number };
        db.Add(order);
        db.Enqueue(() => Send(order));
        return order;
    }

    private static Job Oversized() => Receipt.Call(new { a = new string('x', PayloadRules.MaxBytes) });
}
