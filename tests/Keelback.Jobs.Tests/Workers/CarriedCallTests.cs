using Keelback.Postgres.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>Calls that go with the exchange of the process's own worker. Its clock stands still: it looks when it is woken, and not otherwise.</summary>
public sealed class CarriedCallTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);
    private static readonly JobKind s_bad = TestJobs.Kind("bad", _ => Task.CompletedTask);

    [Fact]
    public async Task A_sleeping_worker_claims_what_it_is_called_for_in_the_same_round_trip()
    {
        await using var host = await AsleepAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(s_note.Call()));

        Assert.Equal((JobRunState.Succeeded, 1), (run.State, run.Attempt));
        Assert.True(await host.ScalarAsync<bool>("select count(distinct pid) = 1 and count(distinct xid) = 2 from seen"), "one session, two commits");
    }

    [Fact]
    public async Task One_without_a_free_slot_is_not_asked()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = await AsleepAsync(slow, o => o.Concurrency = 1);
        await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        var next = await host.Jobs.EnqueueAsync(s_note.Call());

        Assert.Equal(2, await host.ScalarAsync<long>("select count(distinct pid) from seen")); // the worker's session, and the call's own
        gate.Open();
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(next)).State);
    }

    [Fact]
    public async Task One_that_has_stopped_is_not_asked()
    {
        await using var host = await AsleepAsync();
        await host.StopAsync();

        var run = await host.Jobs.EnqueueAsync(s_note.Call());

        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
    }

    [Theory]
    [InlineData("create trigger bad before insert on keelback.run for each row execute function refuse()")]
    [InlineData("create constraint trigger bad after insert on keelback.run deferrable initially deferred for each row execute function refuse()")]
    public async Task What_a_call_is_refused_for_is_its_callers_and_loses_nothing_beside_it(string trigger)
    {
        using var lines = new LogLines();
        await using var host = await AsleepAsync(services: services => services.AddSingleton<ILoggerProvider>(lines));
        await ExecuteAsync(
            $"create function refuse() returns trigger language plpgsql as $$ begin if new.kind = 'bad' then raise 'no'; end if; return new; end $$; {trigger}");
        await using var elsewhere = JobHost.Create(Database, [s_note], o => o.RunWorker = false);
        var unheard = await elsewhere.Jobs.EnqueueAsync(s_note.Call());

        var error = await Assert.ThrowsAsync<PostgresException>(() => host.Jobs.EnqueueAsync(s_bad.Call()));

        Assert.Equal("no", error.MessageText);
        var run = await host.EndOf(unheard); // the claim beside the call took it, and its answer was not heard
        Assert.Equal((JobRunState.Succeeded, 1), (run.State, run.Attempt));
        for (var i = 0; i < 3; i++) Assert.Equal(JobRunState.Succeeded, (await host.EndOf(await host.Jobs.EnqueueAsync(s_note.Call()))).State);
        Assert.Equal((0, 0), (lines.Count(1000), lines.Count(1003))); // no loop has failed: who gets the connection next finds it in order
    }

    [Fact]
    public async Task Who_offers_gets_an_answer_whatever_becomes_of_the_worker()
    {
        var carrier = new CallCarrier();
        Assert.Null(await carrier.SendAsync(() => new(), default)); // nobody sleeps yet

        var woken = 0;
        carrier.Open(() => woken++);
        var first = carrier.SendAsync(() => new("select 1"), default);
        Assert.Null(await carrier.SendAsync(() => new(), default)); // one at a time
        carrier.Open(() => woken++);
        Assert.False(carrier.IsOpen, "what was offered is not forgotten");
        carrier.Close()!.Refuse();

        Assert.Null(await first);
        Assert.Null(carrier.Close());
        Assert.Equal(1, woken);
    }

    [Fact]
    public void A_call_that_fails_after_its_caller_has_gone_leaves_no_exception_that_nobody_has_seen()
    {
        var lost = new TimeoutException("the caller had gone");
        var unobserved = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Enqueue(e.Exception.InnerException!);
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            Fail(lost);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        Assert.DoesNotContain(lost, unobserved);

        // A method of its own, so that nothing holds the call any more.
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Fail(Exception e) => Assert.True(new CarriedCall(new()).Failed(e));
    }

    private static CallCarrier Carrier(JobHost host) => host.Services.GetRequiredService<CallCarrier>();

    private async Task<JobHost> AsleepAsync(JobKind? other = null, Action<JobsOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        await ExecuteAsync(
            """
            create table seen (pid int, xid xid8);
            create function see() returns trigger language plpgsql as $$ begin insert into seen values (pg_backend_pid(), pg_current_xact_id()); return new; end $$;
            create trigger seen before insert on keelback.run for each row execute function see();
            create trigger seen before insert on keelback.claim for each row execute function see();
            """);
        var host = await JobHost.Create(Database, other is null ? [s_note, s_bad] : [s_note, s_bad, other], configure, services, clock: Clock).StartAsync();
        await Eventually(() => Task.FromResult(Carrier(host).IsOpen), "the worker sleeps");
        return host;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = Database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
