using Keelback.Jobs.Tests.Simulation;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class TransactionalTests : JobsTest
{
    [Fact]
    public async Task A_transactional_jobs_rows_and_its_completion_commit_together()
    {
        var write = Write("write");
        await using var host = await ShopAsync(write);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call(new { name = "a" })));

        Assert.Equal(JobRunState.Succeeded, run.State);
        Assert.Equal(["a"], await NamesAsync(host));
    }

    [Fact]
    public async Task A_transactional_job_that_fails_leaves_nothing_and_one_that_is_tried_again_writes_once()
    {
        var tries = 0;
        var write = Write("write", async (db, _) =>
        {
            await db.SaveChangesAsync();
            if (Interlocked.Increment(ref tries) < 3) throw new InvalidOperationException("after the write");
        });
        await using var host = await ShopAsync(write);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call(new { name = "a" })));

        Assert.Equal((JobRunState.Succeeded, 3), (run.State, run.Attempt));
        Assert.Equal(["a"], await NamesAsync(host));
    }

    [Fact]
    public async Task A_transactional_job_that_lost_its_run_commits_nothing()
    {
        var gate = new Gate();
        var write = Write("write", (_, _) => gate.PassAsync(CancellationToken.None));
        await using var host = await ShopAsync(write);
        var run = await host.Jobs.EnqueueAsync(write.Call(new { name = "a" }));
        await gate.Started();

        await host.Jobs.CancelAsync(run);
        var held = await host.ScalarAsync<long>("select count(*) from keelback.claim");
        gate.Open();
        await Eventually(() => Task.FromResult(host.Worker.Running == 0), "the job ended");

        Assert.Equal(JobRunState.Cancelled, (await host.Jobs.GetAsync(run))!.State);
        Assert.Equal(0, held);
        Assert.Empty(await NamesAsync(host));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
    }

    [Fact]
    public async Task A_transactional_job_whose_claim_went_unnoticed_commits_nothing()
    {
        var gone = 0L;
        var write = Write("write", async (_, services) =>
        {
            await using var steal = services.GetRequiredService<NpgsqlDataSource>().CreateCommand("delete from keelback.claim returning run_id");
            gone = (long)(await steal.ExecuteScalarAsync())!;
        });
        await using var host = await ShopAsync(retrying: false, [write], new SimClock()); // its second never comes, in which the worker would ask for its claims

        await host.Jobs.EnqueueAsync(write.Call(new { name = "a" }));
        await Eventually(() => Task.FromResult(gone != 0 && host.Worker.Running == 0), "the job ended");

        Assert.Empty(await NamesAsync(host));
    }

    [Fact]
    public async Task What_a_transactional_job_enqueues_exists_only_when_it_completes()
    {
        var tries = 0;
        var child = TestJobs.Kind("child", _ => Task.CompletedTask);
        var parent = Write("parent", async (_, services) =>
        {
            await services.GetRequiredService<JobClient>().EnqueueAsync(child.Call());
            if (Interlocked.Increment(ref tries) < 3) throw new InvalidOperationException("after the enqueueing");
        });
        await using var host = await ShopAsync(parent, child);

        await host.EndOf(await host.Jobs.EnqueueAsync(parent.Call(new { name = "a" })));

        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run where kind = 'child'"));
    }

    [Fact]
    public async Task A_transactional_job_releases_who_waits_for_it()
    {
        var write = Write("write");
        var after = TestJobs.Kind("after", _ => Task.CompletedTask);
        await using var host = await ShopAsync(write, after);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(after.Call().After(write.Call(new { name = "a" }))));

        Assert.Equal(JobRunState.Succeeded, run.State);
    }

    [Fact]
    public async Task A_transactional_job_works_with_a_retrying_execution_strategy()
    {
        var write = Write("write");
        await using var host = await ShopAsync(retrying: true, [write]);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call(new { name = "a" })));

        Assert.Equal(JobRunState.Succeeded, run.State);
        Assert.Equal(["a"], await NamesAsync(host));
    }

    [Fact]
    public async Task Its_transaction_carries_the_workers_name_on_the_server()
    {
        var name = "";
        var write = Write("write", async (db, _) => name = await db.Database
            .SqlQueryRaw<string>("select application_name as \"Value\" from pg_stat_activity where pid = pg_backend_pid()").SingleAsync());
        await using var host = await ShopAsync(write);

        await host.EndOf(await host.Jobs.EnqueueAsync(write.Call(new { name = "a" })));

        Assert.Equal(host.Worker.Identity!.Value.ApplicationName, name);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from pg_stat_activity where application_name like 'keelback:%' and datname = current_database()"));
    }

    [Fact]
    public async Task A_job_enqueued_with_a_context_exists_if_and_only_if_the_rows_do()
    {
        var note = TestJobs.Kind("note", call => Task.FromResult(call.Get<int>("id")));
        await using var host = await ShopAsync(note);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Shop>();

        var item = new Item { Name = "a" };
        db.Items.Add(item);
        db.Enqueue(() => note.Call(new { id = item.Id }));
        await db.SaveChangesAsync();
        db.Enqueue(() => note.Call(new { a = new string('x', PayloadRules.MaxBytes) }));
        db.Items.Add(new() { Name = "b" });
        await Assert.ThrowsAsync<KeelbackException>(() => db.SaveChangesAsync());

        Assert.Equal(["a"], await NamesAsync(host));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal(item.Id, (await host.EndOf(await host.ScalarAsync<long>("select id from keelback.run"))).Result<int>());
    }

    [Fact]
    public async Task A_rolled_back_transaction_leaves_no_job()
    {
        var note = TestJobs.Kind("note", _ => Task.CompletedTask);
        await using var host = await ShopAsync(note);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Shop>();

        await using (await db.Database.BeginTransactionAsync())
        {
            db.Items.Add(new() { Name = "a" });
            db.Enqueue(() => note.Call());
            await db.SaveChangesAsync();
            await host.Jobs.EnqueueAsync(db, note.Call().After(note.Call()));
            Assert.Equal(3, await db.Database.SqlQueryRaw<int>("select count(*)::int as \"Value\" from keelback.run").SingleAsync());
        }

        await host.EndOf(await host.Jobs.EnqueueAsync(note.Call())); // it would come after theirs

        Assert.Equal((1, 0, 0), (
            await host.ScalarAsync<long>("select count(*) from keelback.run"),
            await host.ScalarAsync<long>("select count(*) from keelback.ready"),
            await host.ScalarAsync<long>("select count(*) from keelback.edge")));
        Assert.Empty(await NamesAsync(host));
    }

    private static JobKind Write(string name, Func<Shop, IServiceProvider, Task>? more = null) => TestJobs.Kind(name, async call =>
    {
        var db = call.Services.GetRequiredService<Shop>();
        db.Items.Add(new() { Name = call.Get<string>("name") });
        if (more is not null) await more(db, call.Services);
    }, defaults => defaults.Transactional = true);

    private Task<JobHost> ShopAsync(params JobKind[] kinds) => ShopAsync(retrying: false, kinds);

    private async Task<JobHost> ShopAsync(bool retrying, JobKind[] kinds, TimeProvider? clock = null)
    {
        var host = JobHost.Create(Database, kinds, clock: clock, data: keelback => keelback.AddData<Shop>(o =>
        {
            if (retrying) o.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure());
        }));
        await using var command = host.Db.CreateCommand("create table if not exists items (id int generated always as identity primary key, name text not null)");
        await command.ExecuteNonQueryAsync();
        return await host.StartAsync();
    }

    private static async Task<List<string>> NamesAsync(JobHost host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<Shop>().Items.OrderBy(i => i.Id).Select(i => i.Name).ToListAsync();
    }

    internal sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
    {
        public DbSet<Item> Items => Set<Item>();
    }

    internal sealed class Item
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }
}
