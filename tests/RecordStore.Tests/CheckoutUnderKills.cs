using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Threading.Channels;
using Keelback.Testing;
using RecordStore.Demo;

namespace RecordStore.Tests;

/// <summary>One web process, worker processes that are killed, clients that buy, and the ledger that is read afterwards.</summary>
internal sealed class CheckoutUnderKills : IAsyncDisposable
{
    private const int Workers = 3;
    private const int Clients = 8;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan s_slowest = TimeSpan.FromMilliseconds(500);

    private readonly TestDatabase _database;
    private readonly TimeSpan _lease;
    private readonly StoreProcess _web;
    private readonly HttpClient _client;
    private readonly DirectoryInfo _mail = Directory.CreateTempSubdirectory("record-store-mail-");
    private readonly DirectoryInfo _failPoints = Directory.CreateTempSubdirectory("record-store-fail-");
    private readonly ConcurrentDictionary<int, DateTime> _dead = new();
    private readonly ConcurrentDictionary<int, StoreProcess> _workers = new(); // those that live, by id
    private int _ordered;
    private int _accepted;

    private CheckoutUnderKills(TestDatabase database, TimeSpan lease)
    {
        (_database, _lease) = (database, lease);
        var url = $"http://127.0.0.1:{FreePort()}";
        _web = Start(["--urls", url], ("Keelback__Jobs__RunWorker", "false"));
        _client = new() { BaseAddress = new(url), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Answers to checkouts that were 201.</summary>
    public int Accepted => _accepted;

    /// <summary>Workers that died.</summary>
    public int Deaths => _dead.Count;

    /// <param name="lease">How long a dead worker counts as alive; it renews three times as often.</param>
    public static async Task<CheckoutUnderKills> StartAsync(TimeSpan lease)
    {
        var database = await TestDatabase.CreateAsync(StoreDatabase.Template);
        await using (var db = StoreDatabase.Context(database.DataSource)) await new Catalogue(db).FillAsync(default);

        var store = new CheckoutUnderKills(database, lease);
        await store._web.SaysAsync("Now listening on");
        return store;
    }

    /// <summary>Sells, and meanwhile kills workers with -9, one after another.</summary>
    /// <remarks>Four of five kills wait until the victim is in the middle of a receipt; the others come whatever is going on.</remarks>
    public Task BuyAndKillAsync(int orders, TimeSpan over, int kills) => BuyAndBuryAsync(orders, over, kills, async (i, sale) =>
    {
        var id = (i % 5 == 4 ? null : await BusyWorkerAsync(sale)) ?? Random.Shared.GetItems(_workers.Keys.ToArray(), 1)[0];
        _workers[id].Kill();
        return id;
    });

    /// <summary>Sells, and meanwhile lets workers die before the effect, before the commit and after the commit: whoever gets there first.</summary>
    public Task BuyAndFailAsync(int orders, TimeSpan over, int deaths) => BuyAndBuryAsync(orders, over, deaths, async (i, _) =>
    {
        string[] places = ["before_effect", "before_commit", "after_commit"];
        await File.WriteAllTextAsync(Path.Combine(_failPoints.FullName, places[i % places.Length]), "");

        int? id = null;
        await UntilAsync(() => Task.FromResult((id = _workers.Keys.Cast<int?>().FirstOrDefault(w => _workers[w!.Value].HasExited)) is not null),
            $"a worker to die {places[i % places.Length]}");
        return id!.Value;
    });

    /// <summary>Waits until no run is open.</summary>
    public Task DrainAsync() => UntilAsync(
        async () => await ValueAsync<long>("select count(*) from keelback.run where state = 0") == 0, "the last run to end");

    /// <summary>What the store and the engine's own ledger say afterwards.</summary>
    public async Task<Ledger> ReadAsync()
    {
        var (handedBack, runAgain) = await SlowestAsync();
        return new(
            Invoices: await ValueAsync<long>("select count(*) from invoice"),
            Receipts: await ValueAsync<long>("select count(*) from mail"),
            InvoicesWithOtherThanOneReceipt: await ValueAsync<long>(
                "select count(*) from (select from invoice i left join mail m on m.invoice_id = i.id group by i.id having count(m.id) <> 1) x"),
            Undelivered: await ValueAsync<long>("select count(*) from mail where delivered_at is null"),
            NotSucceeded: await ValueAsync<long>("select count(*) from keelback.run where state <> 1"),
            DeathsInAJob: await DeathsInAsync("%"),
            DeathsInAReceipt: await DeathsInAsync("Receipts.Send"),
            SlowestHandBack: handedBack,
            SlowestRecovery: runAgain);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers.Values) worker.Dispose();
        _client.Dispose();
        _web.Dispose();
        await _database.DisposeAsync();
        _mail.Delete(recursive: true);
        _failPoints.Delete(recursive: true);
    }

    /// <summary>Each death has its share of the orders and of the time: on a slow machine, too, the deaths are spread over the sale.</summary>
    private async Task BuyAndBuryAsync(int orders, TimeSpan over, int deaths, Func<int, Task, Task<int>> die)
    {
        var starting = Enumerable.Range(0, Workers).Select(_ => StartWorkerAsync()).ToList();
        for (var i = 0; i < deaths; i++)
        {
            while (_workers.Count < Workers - 1)
            {
                var started = await Task.WhenAny(starting);
                await started;
                starting.Remove(started);
            }

            var share = (orders * (i + 1) / deaths) - (orders * i / deaths);
            var before = Random.Shared.Next(1, share / 2);
            await BuyAsync(before, over / orders * before);

            var sale = BuyAsync(share - before, over / orders * (share - before));
            var id = await die(i, sale);
            _dead[id] = await ValueAsync<DateTime>("select clock_timestamp()");
            if (_workers.TryRemove(id, out var dead)) dead.Dispose();
            starting.Add(StartWorkerAsync());
            await sale;
        }

        await Task.WhenAll(starting);
    }

    /// <summary>Checkouts from eight clients, spread evenly over a time.</summary>
    private async Task BuyAsync(int count, TimeSpan over)
    {
        var orders = Channel.CreateUnbounded<int>();
        var clients = Enumerable.Range(0, Clients).Select(async _ =>
        {
            await foreach (var order in orders.Reader.ReadAllAsync())
            {
                using var answer = await _client.PostAsJsonAsync("/api/checkout", Order(order));
                if (answer.StatusCode == HttpStatusCode.Created) Interlocked.Increment(ref _accepted);
            }
        }).ToList();

        using var clock = new PeriodicTimer(over / count);
        for (var i = 0; i < count && await clock.WaitForNextTickAsync(); i++) orders.Writer.TryWrite(_ordered++);
        orders.Writer.Complete();
        await Task.WhenAll(clients);
    }

    /// <summary>The longest times from a death until what it left unfinished was handed back, and until that ran again.</summary>
    private async Task<(TimeSpan HandedBack, TimeSpan RunAgain)> SlowestAsync()
    {
        await using var command = _database.DataSource.CreateCommand(
            """
            select a.worker_id, a.ended_at, coalesce(later.started_at, r.started_at)
            from keelback.attempt a
            join keelback.run r on r.id = a.run_id
            left join keelback.attempt later on later.run_id = a.run_id and later.n = a.n + 1
            where a.outcome = 1 and a.worker_id = any($1)
            """);
        command.Parameters.AddWithValue(_dead.Keys.ToArray());
        await using var row = await command.ExecuteReaderAsync();

        var (handedBack, runAgain) = (TimeSpan.Zero, TimeSpan.Zero);
        while (await row.ReadAsync())
        {
            var diedAt = _dead[row.GetInt32(0)];
            handedBack = Longer(handedBack, row.GetDateTime(1) - diedAt);
            runAgain = Longer(runAgain, row.GetDateTime(2) - diedAt);
        }

        return (handedBack, runAgain);

        static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }

    private async Task<long> DeathsInAsync(string kinds)
    {
        await using var command = _database.DataSource.CreateCommand(
            """
            select count(distinct a.worker_id) from keelback.attempt a join keelback.run r on r.id = a.run_id
            where a.outcome = 1 and r.kind like $1 and a.worker_id = any($2)
            """);
        command.Parameters.AddWithValue(kinds);
        command.Parameters.AddWithValue(_dead.Keys.ToArray());
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Starts a worker and waits until it is registered.</summary>
    private async Task StartWorkerAsync()
    {
        var worker = Start(["worker", "--queues", "mail", "--concurrency", "4"], ("KEELBACK_FAILPOINTS", _failPoints.FullName));
        int? id = null;
        await UntilAsync(async () =>
        {
            var ended = worker.HasExited; // before the look: who died at once has left its row
            id = await IdAsync(worker);
            return id is not null || (ended ? throw new InvalidOperationException($"A worker did not start:\n{worker.Said}") : false);
        }, "a worker to register");
        _workers[id!.Value] = worker;
    }

    private async Task<int?> IdAsync(StoreProcess worker)
    {
        await using var command = _database.DataSource.CreateCommand("select id from keelback.worker where name like '%/' || $1");
        command.Parameters.AddWithValue(worker.Id.ToString(CultureInfo.InvariantCulture));
        return await command.ExecuteScalarAsync() as int?;
    }

    /// <summary>The worker with the most receipts in the making, as soon as there is one; null when the sale ended before.</summary>
    private async Task<int?> BusyWorkerAsync(Task sale)
    {
        int? busy = null;
        await UntilAsync(async () =>
        {
            var over = sale.IsCompleted;
            await using var command = _database.DataSource.CreateCommand(
                """
                select c.worker_id from keelback.claim c join keelback.run r on r.id = c.run_id
                where r.kind = 'Receipts.Send' and c.worker_id = any($1)
                group by c.worker_id order by count(*) desc limit 1
                """);
            command.Parameters.AddWithValue(_workers.Keys.ToArray());
            busy = await command.ExecuteScalarAsync() as int?;
            return over || busy is not null;
        }, "a receipt to begin", TimeSpan.FromMilliseconds(5));
        return busy;
    }

    private async Task<T> ValueAsync<T>(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task UntilAsync(Func<Task<bool>> so, string what, TimeSpan? every = null)
    {
        using var patience = new CancellationTokenSource(s_patience);
        using var look = new PeriodicTimer(every ?? TimeSpan.FromMilliseconds(50));
        while (!await so())
        {
            try
            {
                await look.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited {s_patience} in vain for {what}.");
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
            ("Keelback__Jobs__Lease", _lease.ToString()),
            ("Keelback__Jobs__Heartbeat", (_lease / 3).ToString()),
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
    long DeathsInAJob, long DeathsInAReceipt, TimeSpan SlowestHandBack, TimeSpan SlowestRecovery);
