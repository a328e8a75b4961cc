using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>An app inside a transaction that its test rolls back.</summary>
public sealed class OuterTransactionTests : ShopTest
{
    private readonly OuterTransaction _outer = new();
    private readonly List<string> _ran = [];

    [Fact]
    public async Task What_the_app_commits_is_seen_by_the_app_and_gone_after_the_test()
    {
        await using var app = App();
        await using (await BeginAsync())
        {
            await InScopeAsync(app, async db =>
            {
                db.Add(new Invoice { Number = "plain save" });
                await db.SaveChangesAsync();
                await using var transaction = await db.Database.BeginTransactionAsync();
                db.Add(new Invoice { Number = "own transaction" });
                await db.SaveChangesAsync();
                await transaction.CommitAsync();
                await db.InTransactionAsync(async ct =>
                {
                    db.Add(new Invoice { Number = "unit of work" });
                    db.Note(() => "pending");
                    await db.SaveChangesAsync(ct);
                });
            });

            await InScopeAsync(app, async db => Assert.Equal(3, await db.Invoices.CountAsync()));
            Assert.Empty(await InvoicesAsync());
        }

        Assert.Empty(await InvoicesAsync());
        Assert.Empty(await LedgerAsync());
    }

    [Fact]
    public async Task What_the_app_rolls_back_is_gone_and_the_rest_stays()
    {
        await using var app = App();
        await using var end = await BeginAsync();

        await InScopeAsync(app, async db =>
        {
            db.Add(new Invoice { Number = "kept" });
            await db.SaveChangesAsync();
            await using var transaction = await db.Database.BeginTransactionAsync();
            db.Add(new Invoice { Number = "dropped" });
            await db.SaveChangesAsync();
            await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlAsync($"select 1/0"));
        });

        await InScopeAsync(app, async db => Assert.Equal(["kept"], await db.Invoices.Select(i => i.Number).ToArrayAsync()));
    }

    [Fact]
    public async Task Callbacks_are_captured_at_their_commit_and_run_on_request()
    {
        await using var app = App();
        await using var end = await BeginAsync();

        await InScopeAsync(app, async db =>
        {
            Call(db, "saved");
            await db.SaveChangesAsync();
            await using (await db.Database.BeginTransactionAsync()) Call(db, "rolled back");
            await db.InTransactionAsync(_ =>
            {
                Call(db, "committed");
                return Task.CompletedTask;
            });
        });
        Assert.Empty(_ran);
        Assert.Equal(2, _outer.Captured.Count);

        await _outer.RunCapturedAsync(default);

        Assert.Equal(["saved", "committed"], _ran);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_failing_save_leaves_the_test_s_transaction_usable(bool sync)
    {
        await using var app = App();
        await using var end = await BeginAsync();

        await InScopeAsync(app, async db =>
        {
            db.Add(new Invoice { Number = "" });
            db.Note(() => "never");
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveAsync(sync));
            db.ChangeTracker.Clear();
            db.Add(new Invoice { Number = "A-1" });
            await db.SaveAsync(sync);
        });

        await InScopeAsync(app, async db => Assert.Equal(1, await db.Invoices.CountAsync()));
    }

    private ServiceProvider App()
    {
        var host = Host.CreateEmptyApplicationBuilder(new());
        host.Services.AddSingleton(Database.DataSource).AddSingleton(_outer);
        new KeelbackBuilder(host).AddData<Shop>();
        return host.Services.BuildServiceProvider();
    }

    private async Task<IAsyncDisposable> BeginAsync()
    {
        var connection = await Database.DataSource.OpenConnectionAsync();
        _outer.Current = await connection.BeginTransactionAsync();
        return connection;
    }

    private static async Task InScopeAsync(IServiceProvider app, Func<Shop, Task> work)
    {
        await using var scope = app.CreateAsyncScope();
        Assert.Same(scope.ServiceProvider.GetRequiredService<Shop>(), scope.ServiceProvider.GetRequiredService<DbContext>());
        await work(scope.ServiceProvider.GetRequiredService<Shop>());
    }

    private void Call(Shop db, string name) => db.OnCommit(_ =>
    {
        _ran.Add(name);
        return Task.CompletedTask;
    });
}
