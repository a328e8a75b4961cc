using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Transactional jobs of an app with two contexts.</summary>
public sealed class TransactionContextTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Fact]
    public async Task A_job_commits_with_the_context_that_it_names()
    {
        var tries = 0;
        var write = Kind<TwoLedger>(async services =>
        {
            var db = services.GetRequiredService<Ledger>();
            db.Lines.Add(new() { Text = "a" });
            db.Enqueue(() => s_note.Call());
            await db.SaveChangesAsync();
            if (Interlocked.Increment(ref tries) < 3) throw new InvalidOperationException("after the write");
        }, typeof(Ledger));
        await using var host = await StartAsync(write);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call()));

        Assert.Equal((JobRunState.Succeeded, 3), (run.State, run.Attempt));
        Assert.Equal((1, 1), (await LinesAsync(host), await NotesAsync(host)));
    }

    [Fact]
    public async Task A_job_that_names_none_of_several_contexts_runs_on_none()
    {
        var write = Kind<TwoLedger>(services => services.GetRequiredService<Ledger>().SaveChangesAsync(), null, d => d.MaxAttempts = 1);
        const string Message =
            "'two' is transactional, and there are several contexts: Shop, Ledger. Name the one that it works on: [Job(Transactional = true, Context = typeof(Ledger))].";
        await using var host = await StartAsync(write);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call()));

        Assert.Equal((JobRunState.Failed, Message), (run.State, run.Error!.Message["KB1296: ".Length..]));
        Assert.Equal([("KB1296", Message)], await FoundAsync(host));
    }

    [Fact]
    public async Task A_context_that_is_not_there_is_found_before_the_start()
    {
        await using var host = Create(Kind<NoContext>(_ => Task.CompletedTask, typeof(Cellar)));

        Assert.Equal(
            [("KB1297", "'two' commits with Cellar, which is not among the services; there is Shop, Ledger. Add it with AddData<Cellar>(), or name a context that is there.")],
            await FoundAsync(host));
    }

    [Fact]
    public async Task A_context_that_the_class_does_not_take_is_found_before_the_start()
    {
        await using var host = Create(Kind<TwoLedger>(_ => Task.CompletedTask, typeof(Shop)));

        Assert.Equal(
            [("KB1298", "'two' commits with Shop, and its class takes Ledger: what it does there would stay when the job fails, and come again when it is tried again. " +
                "Name the context that it works on, [Job(Transactional = true, Context = typeof(Ledger))], or let the class take Shop too.")],
            await FoundAsync(host));
    }

    [Fact]
    public async Task The_only_context_is_the_transactions_and_a_class_that_takes_another_is_found()
    {
        JobKind[] kinds = [Kind<TwoShop>(_ => Task.CompletedTask, null), Kind<TwoAny>(_ => Task.CompletedTask, null, name: "any"), Kind<TwoLedger>(_ => Task.CompletedTask, null, name: "ledger")];
        await using var host = JobHost.Create(Database, kinds, data: k => k.AddData<Shop>(), services: s => s.AddDbContext<Ledger>());

        Assert.Equal(["KB1298"], (await FoundAsync(host)).Select(f => f.Code));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_takes_what_it_names_is_no_finding_nor_is_one_that_does_not_run_here(bool runs)
    {
        JobKind[] kinds = runs
            ? [Kind<TwoLedger>(_ => Task.CompletedTask, typeof(Ledger)), Kind<TwoBoth>(_ => Task.CompletedTask, typeof(Ledger), name: "both"), Kind<NoContext>(_ => Task.CompletedTask, typeof(Shop), name: "none")]
            : [Kind<TwoLedger>(_ => Task.CompletedTask, null)];
        await using var host = JobHost.Create(Database, kinds, o => o.RunWorker = runs, data: k => k.AddData<Shop>().AddData<Ledger>());

        Assert.Empty(await FoundAsync(host));
    }

    [Fact]
    public async Task A_context_that_is_not_the_transactions_enqueues_nothing_and_one_of_another_scope_by_itself()
    {
        List<string> refused = [];
        var write = Kind<TwoBoth>(async services =>
        {
            var other = services.GetRequiredService<Ledger>();
            refused.Add(Assert.Throws<KeelbackException>(() => other.Enqueue(() => s_note.Call())).Message);
            await using (await other.Database.BeginTransactionAsync())
                refused.Add((await Assert.ThrowsAsync<KeelbackException>(() => services.GetRequiredService<JobClient>().EnqueueAsync(other, s_note.Call()))).Message);

            await using (var scope = services.CreateAsyncScope())
            {
                var apart = scope.ServiceProvider.GetRequiredService<Ledger>();
                apart.Lines.Add(new() { Text = "it was tried" });
                apart.Enqueue(() => s_note.Call(new { apart = true }));
                await apart.SaveChangesAsync();
            }

            services.GetRequiredService<Shop>().Enqueue(() => s_note.Call());
            throw JobExit.Reject("It does not commit.");
        }, typeof(Shop));
        await using var host = await StartAsync(write);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(write.Call()));

        Assert.Equal((JobRunState.Failed, 1, 1), (run.State, await LinesAsync(host), await NotesAsync(host)));
        Assert.Equal(2, refused.Count);
        Assert.All(refused, message => Assert.Equal(
            "KB1299: A job that commits with Shop enqueues with Ledger, whose transaction is another: the run would exist also when the job fails, and again when it is tried again. " +
            "Enqueue with Shop or with JobClient.EnqueueAsync(job); what shall stand by itself takes Ledger from a scope of its own.", message));
    }

    private static JobKind Kind<TClass>(Func<IServiceProvider, Task> body, Type? context, Action<JobAttribute>? configure = null, string name = "two")
    {
        var kind = TestJobs.Kind(name, call => body(call.Services), d =>
        {
            (d.Transactional, d.Context) = (true, context);
            configure?.Invoke(d);
        });
        return new(kind.Name, typeof(TClass), kind.Defaults, kind.Run);
    }

    private JobHost Create(JobKind kind) => JobHost.Create(Database, [kind, s_note], data: k => k.AddData<Shop>().AddData<Ledger>());

    private async Task<JobHost> StartAsync(JobKind kind)
    {
        var host = Create(kind);
        await using var command = host.Db.CreateCommand("create table if not exists lines (id int generated always as identity primary key, text text not null)");
        await command.ExecuteNonQueryAsync();
        return await host.StartAsync();
    }

    private static async Task<(string Code, string Message)[]> FoundAsync(JobHost host)
    {
        var findings = new Findings();
        await new JobsCheck(host.Services).RunAsync(findings, default);
        return [.. findings.All.Select(f => (f.Code, f.Message))];
    }

    private static Task<long> LinesAsync(JobHost host) => host.ScalarAsync<long>("select count(*) from lines");

    private static Task<long> NotesAsync(JobHost host) => host.ScalarAsync<long>("select count(*) from keelback.run where kind = 'note'");

    internal sealed class Shop(DbContextOptions<Shop> options) : DbContext(options);

    internal sealed class Ledger(DbContextOptions<Ledger> options) : DbContext(options)
    {
        public DbSet<Line> Lines => Set<Line>();
    }

    internal sealed class Cellar(DbContextOptions<Cellar> options) : DbContext(options);

    internal sealed class Line
    {
        public int Id { get; set; }

        public required string Text { get; set; }
    }

#pragma warning disable CS9113 // what a class takes is all that is asked of it
    private sealed class TwoLedger(Ledger db);

    private sealed class TwoShop(Shop db);

    private sealed class TwoAny(DbContext db);

    private sealed class TwoBoth(Shop shop, Ledger ledger);

    private sealed class NoContext;
}
