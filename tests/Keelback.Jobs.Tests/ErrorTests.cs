using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Errors that belong to no other test, each raised as a user would raise it, with its whole text.</summary>
public sealed class ErrorTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Fact]
    public async Task Joining_a_transaction_that_is_not_open_is_an_error()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await using var db = new DbContext(new DbContextOptionsBuilder().UseNpgsql(host.Db).Options);

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(db, s_note.Call()));

        Assert.Equal("KB1210: EnqueueAsync(db, job) joins the context's transaction, and none is open. " +
            "Begin one, or write db.Enqueue(() => job) before SaveChanges, or leave the context out.", error.Message);
    }

    [Fact]
    public async Task Joining_the_transaction_of_another_database_is_an_error()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        await using var foreign = new ForeignConnection();
        await using var db = new DbContext(new DbContextOptionsBuilder().UseNpgsql(foreign).Options);

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(db, s_note.Call()));

        Assert.Equal("KB1216: DbContext is not on PostgreSQL, so a job cannot join its transaction. Configure it with UseNpgsql.", error.Message);
    }

    [Fact]
    public async Task A_transactional_job_without_a_context_ends_with_the_reason()
    {
        var pay = TestJobs.Kind("pay", _ => Task.CompletedTask, defaults => (defaults.Transactional, defaults.MaxAttempts) = (true, 1));
        await using var host = await StartAsync(pay);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(pay.Call()));

        Assert.Equal((JobRunState.Failed, "KB1211: 'pay' is transactional, and no DbContext is registered for it to work on. " +
            "Add one with AddData<TDb>(), or take Transactional off the [Job]."), (run.State, run.Error!.Message));
    }

    [Fact]
    public async Task The_context_of_a_run_is_an_error_outside_of_one()
    {
        await using var host = JobHost.Create(Database, []);
        await using var scope = host.Services.CreateAsyncScope();

        var error = Assert.Throws<KeelbackException>(() => scope.ServiceProvider.GetRequiredService<JobContext>().RunId);

        Assert.Equal("KB1214: JobContext was read outside of a run. Ask for it in the constructor of a class that declares a job.", error.Message);
    }

    [Fact]
    public async Task Waiting_for_a_run_that_is_not_there_is_an_error()
    {
        await using var host = JobHost.Create(Database, []);

        var error = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.WaitAsync(4711));

        Assert.Equal("KB1218: There is no run 4711 in this app. Its transaction may not have committed, or its retention is over.", error.Message);
    }

    [Fact]
    public async Task Two_jobs_of_one_name_are_an_error_without_checks_too()
    {
        var twin = new JobKind("note", typeof(ErrorTests), new(), static _ => default);
        await using var host = JobHost.Create(Database, [s_note, twin]);

        var error = Assert.Throws<KeelbackException>(host.Services.GetRequiredService<JobKinds>);

        Assert.Equal("KB1201: Two jobs are called 'note': in Keelback.Jobs.Tests.TestJobs (Keelback.Jobs.Tests) and in " +
            "Keelback.Jobs.Tests.ErrorTests (Keelback.Jobs.Tests). Give one of them a name of its own: [Job(\"other-name\")].", error.Message);
    }

    /// <summary>What a context on another database would have.</summary>
    private sealed class ForeignConnection : DbConnection
    {
        [AllowNull]
        public override string ConnectionString { get; set; } = "";

        public override string Database => "";

        public override string DataSource => "";

        public override string ServerVersion => "";

        public override ConnectionState State => ConnectionState.Closed;

        public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

        public override void Close()
        {
        }

        public override void Open() => throw new NotSupportedException();

        protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

        protected override DbCommand CreateDbCommand() => throw new NotSupportedException();
    }
}
