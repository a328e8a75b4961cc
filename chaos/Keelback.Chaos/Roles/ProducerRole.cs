using System.Globalization;
using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Chaos;

/// <summary>A process that makes calls, and writes down before and after each what it knows of it.</summary>
/// <remarks>B: about to. A: acknowledged, with the run. R: refused, so there must be no row. U: unknown. C: a cancellation's answer.</remarks>
internal sealed class ProducerRole(RoleOptions role, Ledger ledger, IServiceProvider services) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _atOnce = new(16);
    private volatile bool _paused;
    private volatile bool _stopping;
    private long _special;

    public static async Task<int> RunAsync(RoleOptions role)
    {
        var (next, special) = Resume(role);
        using var ledger = new Ledger(role.Ledger);
        using var host = RoleHost.Build(role, ledger, runWorker: false);
        using var producer = new ProducerRole(role, ledger, host.Services) { _special = special };
        new Thread(producer.Listen) { IsBackground = true }.Start();
        await host.StartAsync();
        ledger.Write("R");
        await producer.ProduceAsync(next);
        ledger.Write("X");
        await host.StopAsync();
        return 0;
    }

    public void Dispose() => _atOnce.Dispose();

    /// <summary>The numbers after those of an earlier process of this name.</summary>
    private static (long Next, long Special) Resume(RoleOptions role)
    {
        if (!File.Exists(role.Ledger)) return (0, 0);

        var used = File.ReadLines(role.Ledger).Where(line => line.StartsWith("B ", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) % Call.PerProducer).ToList();
        return (used.Where(n => n < Call.Special).Select(n => n + 1).DefaultIfEmpty(0).Max(),
            used.Where(n => n >= Call.Special).Select(n => n - Call.Special + 1).DefaultIfEmpty(0).Max());
    }

    private void Listen()
    {
        while (Console.In.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "pause": _paused = true; break;
                case "go": _paused = false; break;
                case "stop": _stopping = true; break;
                case "call": Special(Enum.Parse<Shape>(words[1]), int.Parse(words[2], CultureInfo.InvariantCulture), int.Parse(words[3], CultureInfo.InvariantCulture)); break;
            }
        }

        Environment.Exit(3);
    }

    private void Special(Shape shape, int count, int delayMs)
    {
        for (var i = 0; i < count; i++) _ = MakeAsync(Call.Ordered(shape, role.Index, _special++, delayMs));
    }

    private async Task ProduceAsync(long next)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / role.Rate));
        while (!_stopping && await clock.WaitForNextTickAsync())
        {
            if (_paused) continue;
            await _atOnce.WaitAsync();
            var call = Call.Of(role.Seed, role.Index, next++);
            _ = MakeAsync(call).ContinueWith(_ => _atOnce.Release(), TaskScheduler.Default);
        }

        for (var i = 0; i < 16; i++) await _atOnce.WaitAsync();
    }

    private async Task MakeAsync(Call call)
    {
        ledger.Write("B", call.Words);
        try
        {
            await (call.Shape switch
            {
                Shape.Cancelled => CancelAsync(call),
                Shape.Duplicate => Task.WhenAll(Enumerable.Range(0, 100).Select(_ => EnqueueAsync(call))),
                Shape.Ordered => OrderAsync(call),
                _ => EnqueueAsync(call),
            });
        }
        catch (Exception e)
        {
            ledger.Write("U", call.Key, e.GetType().Name, e.Message);
        }
    }

    /// <summary>The run; null: refused or unknown, which is written down.</summary>
    private async Task<long?> EnqueueAsync(Call call)
    {
        var began = Ledger.Now;
        while (true)
        {
            try
            {
                await using var scope = services.CreateAsyncScope();
                var run = await scope.ServiceProvider.GetRequiredService<JobClient>().EnqueueAsync(call.Build(), call.Options);
                ledger.Write("A", call.Key, run);
                return run;
            }
            catch (KeelbackException e) when (e.Code is not ("KB1270" or "KB1271")) // the two that tell of an outage
            {
                ledger.Write("R", call.Key, e.Code);
                return null;
            }
            catch (Exception e)
            {
                // With an id the same call may be made again; without one, what is not known stays so.
                if (call.HasId && System.Diagnostics.Stopwatch.GetElapsedTime(began) < s_patience)
                {
                    await Task.Delay(200);
                    continue;
                }

                // 57P01 is no answer: a session that is ended may have committed.
                var refused = !call.HasId && e is KeelbackException { Code: "KB1271" } or PostgresException { SqlState: "40001" or "40P01" };
                ledger.Write(refused ? "R" : "U", call.Key, e is KeelbackException k ? k.Code : e.GetType().Name);
                return null;
            }
        }
    }

    /// <summary>A row and its job in one transaction of the app's.</summary>
    private async Task OrderAsync(Call call)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ChaosDb>();
        await db.InTransactionAsync(async ct =>
        {
            await db.Database.ExecuteSqlAsync($"insert into order_row values ({call.Key})", ct);
            db.Enqueue(() => call.Build());
            await db.SaveChangesAsync(ct);
        });
        ledger.Write("A", call.Key, 0); // the run's number is the transaction's own
    }

    /// <summary>Two cancellations and a completion race.</summary>
    private async Task CancelAsync(Call call)
    {
        if (await EnqueueAsync(call) is not { } run) return;

        await Task.Delay(call.Ms * 2);
        await Task.WhenAll(OnceAsync(), OnceAsync());

        async Task OnceAsync()
        {
            try
            {
                await using var scope = services.CreateAsyncScope();
                var won = await scope.ServiceProvider.GetRequiredService<JobClient>().CancelAsync(run);
                ledger.Write("C", call.Key, run, won);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                ledger.Write("C", call.Key, run, e is PostgresException { SqlState: "40001" or "40P01" } ? "False" : "unknown");
            }
        }
    }
}
