using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Keelback.Testing;
using RecordStore.Demo;

namespace RecordStore.Tests;

/// <summary>One web process, worker processes that are killed, clients that buy, and the ledger that is read afterwards.</summary>
internal sealed class CheckoutUnderKills : IAsyncDisposable
{
    private const int Workers = 3;

    private static readonly TimeSpan s_slowest = TimeSpan.FromMilliseconds(500);

    private readonly TestDatabase _database;
    private readonly StoreProcess _web;
    private readonly HttpClient _client;
    private readonly DirectoryInfo _mail = Directory.CreateTempSubdirectory("record-store-mail-");
    private readonly List<StoreProcess> _workers = [];
    private readonly Dictionary<int, DateTime> _killed = [];

    private CheckoutUnderKills(TestDatabase database)
    {
        _database = database;
        var url = $"http://127.0.0.1:{FreePort()}";
        _web = Start(["--urls", url], ("Keelback__Jobs__RunWorker", "false"));
        _client = new() { BaseAddress = new(url), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Answers to checkouts that were 201.</summary>
    public int Accepted { get; private set; }

    public int Kills => _killed.Count;

    public static async Task<CheckoutUnderKills> StartAsync()
    {
        var database = await TestDatabase.CreateAsync(StoreDatabase.Template);
        await using (var db = StoreDatabase.Context(database.DataSource)) await new Catalogue(db).FillAsync(default);

        var store = new CheckoutUnderKills(database);
        await store._web.SaysAsync("Now listening on");
        return store;
    }

    /// <summary>Starts a worker and waits until it is registered.</summary>
    /// <param name="failPoint">Where it kills itself, at the first job that gets there.</param>
    public async Task<StoreProcess> StartWorkerAsync(string? failPoint = null)
    {
        var worker = Start(["worker", "--queues", "mail", "--concurrency", "4"], ("KEELBACK_FAILPOINT", failPoint ?? ""));
        await UntilAsync(async () => await WorkerIdAsync(worker) is not null, "a worker to register");
        return worker;
    }

    /// <summary>Checkouts from eight clients, spread evenly over a time.</summary>
    public async Task BuyAsync(int count, TimeSpan over)
    {
        const int Clients = 8;
        var pause = over / count * Clients;
        var bought = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            using var clock = new PeriodicTimer(pause > TimeSpan.Zero ? pause : TimeSpan.FromMilliseconds(1));
            var accepted = 0;
            for (var i = client; i < count; i += Clients)
            {
                using var answer = await _client.PostAsJsonAsync("/api/checkout", Order(i));
                if (answer.StatusCode == HttpStatusCode.Created) accepted++;
                await clock.WaitForNextTickAsync();
            }

            return accepted;
        }));

        Accepted += bought.Sum();
    }

    /// <summary>Kills one of the workers with -9 and starts another, again and again.</summary>
    public async Task KillAsync(int count, TimeSpan over)
    {
        while (_workers.Count < Workers) _workers.Add(await StartWorkerAsync());

        using var clock = new PeriodicTimer(over / count);
        for (var i = 0; i < count; i++)
        {
            await clock.WaitForNextTickAsync();
            var victim = _workers[i % Workers];
            var id = (await WorkerIdAsync(victim))!.Value;
            victim.Kill();
            _killed.Add(id, await ValueAsync<DateTime>("select clock_timestamp()"));
            victim.Dispose();
            _workers[i % Workers] = await StartWorkerAsync();
        }
    }

    /// <summary>Waits until no run is open.</summary>
    public Task DrainAsync() => UntilAsync(
        async () => await ValueAsync<long>("select count(*) from keelback.run where state = 0") == 0, "the last run to end");

    /// <summary>What the store and the engine's own ledger say afterwards.</summary>
    public async Task<Ledger> ReadAsync() => new(
        Invoices: await ValueAsync<long>("select count(*) from invoice"),
        Receipts: await ValueAsync<long>("select count(*) from mail"),
        InvoicesWithOtherThanOneReceipt: await ValueAsync<long>(
            "select count(*) from (select from invoice i left join mail m on m.invoice_id = i.id group by i.id having count(m.id) <> 1) x"),
        Undelivered: await ValueAsync<long>("select count(*) from mail where delivered_at is null"),
        NotSucceeded: await ValueAsync<long>("select count(*) from keelback.run where state <> 1"),
        KillsThatHitAReceipt: await ValueAsync<long>(
            """
            select count(distinct a.worker_id) from keelback.attempt a join keelback.run r on r.id = a.run_id
            where a.outcome = 1 and r.kind = 'Receipts.Send'
            """),
        SlowestRecovery: await SlowestRecoveryAsync());

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers) worker.Dispose();
        _client.Dispose();
        _web.Dispose();
        await _database.DisposeAsync();
        _mail.Delete(recursive: true);
    }

    /// <summary>The longest time from a kill until a run that was lost in it ran again.</summary>
    private async Task<TimeSpan> SlowestRecoveryAsync()
    {
        await using var command = _database.DataSource.CreateCommand(
            """
            select a.worker_id, coalesce(later.started_at, r.started_at)
            from keelback.attempt a
            join keelback.run r on r.id = a.run_id
            left join keelback.attempt later on later.run_id = a.run_id and later.n = a.n + 1
            where a.outcome = 1
            """);
        await using var row = await command.ExecuteReaderAsync();

        var slowest = TimeSpan.Zero;
        while (await row.ReadAsync())
            if (_killed.TryGetValue(row.GetInt32(0), out var killedAt) && row.GetDateTime(1) - killedAt is var recovery && recovery > slowest)
                slowest = recovery;
        return slowest;
    }

    private async Task<int?> WorkerIdAsync(StoreProcess worker)
    {
        await using var command = _database.DataSource.CreateCommand("select id from keelback.worker where name like '%/' || $1");
        command.Parameters.AddWithValue(worker.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return await command.ExecuteScalarAsync() as int?;
    }

    private async Task<T> ValueAsync<T>(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task UntilAsync(Func<Task<bool>> so, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await so())
        {
            try
            {
                await look.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited 90 s in vain for {what}.");
            }
        }
    }

    private StoreProcess Start(string[] arguments, params (string, string)[] settings) => StoreProcess.Start(
        _database.ConnectionString,
        arguments,
        [
            .. settings,
            ("RecordStore__SlowReceipts", s_slowest.ToString()),
            ("Keelback__Mail__Folder", _mail.FullName),
        ]);

    private static object Order(int i) => new
    {
        customerId = 1 + (i % 8),
        lines = new[] { new { trackId = 1 + (i % 50), quantity = 1 }, new { trackId = 51, quantity = 2 } },
    };

    private static int FreePort()
    {
        // Below 32768, where the system hands out ports of its own accord.
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken; another one.
            }
        }
    }
}

/// <summary>What is in the database when all is over.</summary>
internal sealed record Ledger(
    long Invoices, long Receipts, long InvoicesWithOtherThanOneReceipt, long Undelivered, long NotSucceeded,
    long KillsThatHitAReceipt, TimeSpan SlowestRecovery);
