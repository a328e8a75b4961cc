using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>A store whose orders enqueue receipts; no worker runs, so that what was enqueued stays to be looked at.</summary>
public abstract class StoreTest : IAsyncLifetime
{
    private static readonly TestTemplate s_template = JobHost.Template.With("jobs_store", async (source, ct) =>
    {
        await using var table = source.CreateCommand(
            "create table orders (id int generated always as identity primary key, number text not null, constraint ck_orders_number check (number <> ''))");
        await table.ExecuteNonQueryAsync(ct);
    });

    internal static JobKind Receipt { get; } = TestJobs.Kind("receipt", _ => Task.CompletedTask);

    internal TestDatabase Database { get; private set; } = null!;

    internal JobHost Host { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(s_template);
        Host = JobHost.Create(Database, [Receipt], services: Add);
    }

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A context by itself, on the app's services.</summary>
    internal Store Open(Action<DbContextOptionsBuilder<Store>>? more = null)
    {
        var options = new DbContextOptionsBuilder<Store>()
            .UseNpgsql(Host.Db).UseKeelback().UseApplicationServiceProvider(Host.Services);
        more?.Invoke(options);
        return new(options.Options);
    }

    internal static Job Send(Order order) => Receipt.Call(new { order = order.Id });

    /// <summary>The orders, and the orders whose receipts are enqueued, as another connection sees them.</summary>
    internal async Task ExpectAsync(string[] orders, string[] receipts)
    {
        Assert.Equal(orders, await ColumnAsync("select number from orders order by id"));
        Assert.Equal(receipts, await ColumnAsync(
            "select coalesce(o.number, 'no order ' || (r.input ->> 'order')) from keelback.run r left join orders o on o.id = (r.input ->> 'order')::int order by r.id"));
        Assert.Equal(receipts.Length, await Host.ScalarAsync<long>("select count(*) from keelback.ready"));
    }

    private protected virtual void Add(IServiceCollection services)
    {
    }

    private async Task<string[]> ColumnAsync(string sql)
    {
        await using var command = Host.Db.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync()) values.Add(reader.GetString(0));
        return [.. values];
    }
}
