using Keelback.Data.Tests;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary><c>db.Enqueue</c> on a context that retries: one run, whatever is done twice.</summary>
public sealed class RetryingEnqueueTests : StoreTest
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_save_that_is_tried_again_enqueues_once(bool sync)
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        var order = new Order { Number = "A-1" };
        var tries = 0;
        db.Add(order);
        db.Enqueue(() => Send(order));
        db.Enqueue(() => ++tries == 1 ? throw new NpgsqlException("a moment", new TimeoutException()) : Send(order));

        await db.SaveAsync(sync);

        Assert.Equal(2, tries);
        await ExpectAsync(["A-1"], ["A-1", "A-1"]);
    }

    [Fact]
    public async Task A_transaction_that_is_tried_again_enqueues_once()
    {
        await using var db = OpenRetrying(Database.ConnectionString);
        var tries = 0;

        await db.InTransactionAsync(async ct =>
        {
            var order = new Order { Number = "A-1" };
            db.Add(order);
            db.Enqueue(() => Send(order));
            await db.SaveChangesAsync(ct);
            if (++tries == 1) throw new NpgsqlException("a moment", new TimeoutException());
        });

        Assert.Equal(2, tries);
        await ExpectAsync(["A-1"], ["A-1"]);
    }

    [Theory]
    [InlineData(LossyProxy.Lose.Answer, true), InlineData(LossyProxy.Lose.Answer, false)]
    [InlineData(LossyProxy.Lose.Commit, true), InlineData(LossyProxy.Lose.Commit, false)]
    public async Task A_commit_without_an_answer_enqueues_once(LossyProxy.Lose what, bool sync)
    {
        await using var proxy = new LossyProxy(Database.ConnectionString, what);
        await using var db = OpenRetrying(proxy.ConnectionString);
        var order = new Order { Number = "A-1" };
        db.Add(order);
        db.Enqueue(() =>
        {
            proxy.Arm();
            return Send(order);
        });

        await db.SaveAsync(sync);

        Assert.Equal(1, proxy.Lost);
        await ExpectAsync(["A-1"], ["A-1"]);
    }

    private Store OpenRetrying(string connectionString) => Open(options => options.UseNpgsql(
        connectionString, npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(50), null)));
}
