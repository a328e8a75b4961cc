using System.Threading.Channels;
using Keelback.Postgres;
using Keelback.Testing;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>A database for each class, and what the tests in it share.</summary>
public abstract class JobsTest : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    internal TestDatabase Database { get; private set; } = null!;

    /// <summary>Moves this database, and the hosts that were given it.</summary>
    protected TestClock Clock { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(JobHost.Template);
        Clock = new(Database.DataSource);
    }

    public async Task DisposeAsync() => await Database.DisposeAsync();

    internal Task<JobHost> StartAsync(params JobKind[] kinds) => JobHost.Create(Database, kinds).StartAsync();

    /// <summary>A job that says when it has started and ends when it is told to, or when its token is cancelled.</summary>
    internal sealed class Gate
    {
        private readonly Channel<bool> _started = Channel.CreateUnbounded<bool>();
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Cancelled;

        public async Task PassAsync(CancellationToken ct)
        {
            _started.Writer.TryWrite(true);
            try
            {
                await _open.Task.WaitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref Cancelled);
                throw;
            }
        }

        public Task Started() => _started.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        public void Open() => _open.TrySetResult();
    }

    /// <summary>Claims up to ten runs of the default queue and priority for a worker that does nothing else.</summary>
    internal static Task<List<Claim>> ClaimAsync(JobHost host, NpgsqlConnection connection, params string[] kinds) =>
        ClaimAsync(host, connection, WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1)), kinds);

    internal static async Task<List<Claim>> ClaimAsync(JobHost host, NpgsqlConnection connection, WorkerIdentity worker, params string[] kinds)
    {
        var queue = await host.ScalarAsync<short>("select id from keelback.queue where name = 'default'");
        var request = new ExchangeRequest { Outcomes = [], Claim = new([queue], [4], [long.MinValue], 10, worker, "test", kinds) };
        return (await Exchange.RunAsync(connection, request, prepare: false, default)).Claimed.Claims;
    }

    /// <summary>Has the first row of an event, such as <c>update on keelback.run</c>, fail as if another transaction had been in its way.</summary>
    internal static async Task DisturbOnceAsync(JobHost host, string what, string state)
    {
        // A sequence keeps its count, whatever is rolled back.
        await using var command = host.Db.CreateCommand(
            $"""
            create sequence disturbed;
            create function disturb() returns trigger language plpgsql as
            'begin if nextval(''disturbed'') = 1 then raise exception ''disturbed'' using errcode = ''{state}''; end if; return new; end';
            create trigger disturb before {what} for each row execute function disturb()
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Polls the database for a state that no signal tells of.</summary>
    internal static async Task Eventually(Func<Task<bool>> condition, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            Assert.False(patience.IsCancellationRequested, $"not within {Patience}: {what}");
            await Task.Delay(20);
        }
    }
}

internal static class Waiting
{
    /// <summary>Fails instead of hanging.</summary>
    public static async IAsyncEnumerable<T> WithTimeout<T>(this IAsyncEnumerable<T> source, TimeSpan patience)
    {
        using var timeout = new CancellationTokenSource(patience);
        await foreach (var item in source.WithCancellation(timeout.Token)) yield return item;
    }
}
