using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;

namespace Keelback.Chaos;

/// <summary>One run from its seed to its verdicts.</summary>
internal sealed class ChaosRun(ChaosOptions options, string folder)
{
    private static readonly TimeSpan s_drain = TimeSpan.FromMinutes(5);

    private readonly string _done = Path.Combine(folder, "done");

    public static async Task<int> RunAsync(ChaosOptions options)
    {
        var folder = options.Resume ?? Path.Combine(options.Root, options.Seed.ToString(CultureInfo.InvariantCulture));
        var file = Path.Combine(folder, "options.json");
        if (options.Resume is not null)
        {
            options = JsonSerializer.Deserialize<ChaosOptions>(await File.ReadAllTextAsync(file))! with { Resume = folder };
        }
        else
        {
            if (Directory.Exists(folder)) Clear(folder);
            foreach (var part in new[] { "ledger", "logs", "failpoints" }) Directory.CreateDirectory(Path.Combine(folder, part));
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(options));
            await File.WriteAllLinesAsync(Path.Combine(folder, "plan.txt"), Plan.Of(options).Select(item => item.ToString()));
        }

        Console.WriteLine($"chaos: seed {options.Seed}, {options.Time.TotalMinutes:0.#} minutes of faults, in {folder}");
        return await new ChaosRun(options, Path.GetFullPath(folder)).RunAsync();
    }

    /// <summary>Judges again what a run left behind; its server must not have been removed.</summary>
    public static async Task<int> JudgeAsync(string folder)
    {
        var options = JsonSerializer.Deserialize<ChaosOptions>(await File.ReadAllTextAsync(Path.Combine(folder, "options.json")))!;
        await using var server = await Server.StartAsync(Path.GetFullPath(folder));
        var facts = await Facts.ReadAsync(server.Db, folder);
        var verdicts = new Judge(facts, options).All([]);
        Console.WriteLine(Report.Of(options, facts, verdicts, [], TimeSpan.Zero));
        return verdicts.All(v => v.Holds) ? 0 : 1;
    }

    private static void Clear(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "options.json"))) throw new InvalidOperationException($"chaos: {folder} is no run's folder.");
        Directory.Delete(folder, recursive: true);
    }

    private async Task<int> RunAsync()
    {
        var began = Stopwatch.GetTimestamp();
        await using var server = await Server.StartAsync(folder);
        using var pooler = Pooler.Start(server, folder);
        using var log = new Ledger(Path.Combine(folder, "faults.txt"));

        // Broken off, it leaves no process behind; what it needs to go on stays.
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => BreakOff(server, pooler));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => BreakOff(server, pooler));
        await server.ExecuteAsync(ChaosDb.Schema);

        List<string> surprises;
        await using (var fleet = new Fleet(server, pooler, options, folder, log))
        {
            fleet.Start();
            await UntilAsync(server, "select count(*) from pg_tables where schemaname = 'keelback' and tablename = 'progress'", 1, TimeSpan.FromMinutes(2));
            await server.ExecuteAsync(ChaosDb.Triggers);
            await UntilAsync(server, "select count(*) from keelback.worker", options.Workers, TimeSpan.FromMinutes(2));

            await MakeFaultsAsync(server, fleet, log);
            await HealAsync(server, fleet, log);
            log.Write("L", fleet.AnswersLost);
            surprises = [.. fleet.Surprises];
        }

        var facts = await Facts.ReadAsync(server.Db, folder);
        var verdicts = new Judge(facts, options).All(surprises);
        var report = Report.Of(options, facts, verdicts, LeftOut(pooler), Stopwatch.GetElapsedTime(began));
        Console.WriteLine(report);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.md"), report);

        var holds = verdicts.All(v => v.Holds);
        await server.DisposeAsync();
        if (holds) server.Remove();
        else Console.WriteLine($"The database is kept: {folder}; look again with: ./dev chaos check {folder}");
        return holds ? 0 : 1;
    }

    private static void BreakOff(Server server, Pooler? pooler)
    {
        pooler?.Dispose();
        server.StopAsync("fast").Wait();
        Environment.Exit(130); // the workers' inputs end with us, and they with them
    }

    private static IEnumerable<string> LeftOut(Pooler? pooler)
    {
        if (pooler is null) yield return "F12: PgBouncer is not installed (./dev setup chaos)";
        else yield return "nothing of F12: one worker went through PgBouncer in transaction mode";
        if (!Fleet.HasFakeTime) yield return "F13: libfaketime is not installed (./dev setup chaos)";
        yield return "F9 and F10 are made by a wire of our own between each process and PostgreSQL: no root is needed, and what was held arrives late";
        yield return "F34: nodes have a random number from the database, not a name; frozen rescuers are F3's zombies";
    }

    private async Task MakeFaultsAsync(Server server, Fleet fleet, Ledger log)
    {
        var (done, before) = ReadDone();
        using var maker = new FaultMaker(server, fleet, options, log);
        var begin = Stopwatch.GetTimestamp();
        var underWay = new List<Task>();
        using var stop = new CancellationTokenSource();
        var watch = WatchAsync(server, fleet, () => before + Stopwatch.GetElapsedTime(begin), stop.Token);

        foreach (var item in Plan.Of(options).Where(item => !done.Contains(item.Index)))
        {
            var wait = TimeSpan.FromSeconds(item.At) - before - Stopwatch.GetElapsedTime(begin);
            if (wait > TimeSpan.Zero) await Task.Delay(wait);
            underWay.Add(MakeAsync(maker, item, log));
        }

        var rest = options.Time - before - Stopwatch.GetElapsedTime(begin);
        if (rest > TimeSpan.Zero) await Task.Delay(rest);
        await Task.WhenAll(underWay);
        await stop.CancelAsync();
        await watch;
    }

    private async Task MakeAsync(FaultMaker maker, PlanItem item, Ledger log)
    {
        try
        {
            await maker.MakeAsync(item);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or IOException or System.ComponentModel.Win32Exception)
        {
            log.Write("x", item.Index, item.Fault, e.Message);
            Console.WriteLine($"chaos: fault {item.Fault} went wrong: {e.Message}");
        }

        await File.AppendAllTextAsync(_done, $"{item.Index}\n");
    }

    private (HashSet<int> Done, TimeSpan Before) ReadDone()
    {
        if (options.Resume is null || !File.Exists(_done)) return ([], TimeSpan.Zero);

        var done = File.ReadLines(_done).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToHashSet();
        var before = Plan.Of(options).Where(item => done.Contains(item.Index)).Select(item => item.At).DefaultIfEmpty(0).Max();
        return (done, TimeSpan.FromSeconds(before));
    }

    /// <summary>Holds producers back while the backlog is long, and says how far we are.</summary>
    private async Task WatchAsync(Server server, Fleet fleet, Func<TimeSpan> elapsed, CancellationToken ct)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds(2));
        for (var i = 0; ; i++)
        {
            try
            {
                if (!await clock.WaitForNextTickAsync(ct)) return;
                var ready = await server.ScalarAsync<long>("select count(*) from keelback.ready");
                if (ready > 1500) fleet.TellProducers("pause");
                else if (ready < 500) fleet.TellProducers("go");
                if (i % 15 == 0) Console.WriteLine($"{elapsed():m\\:ss} of {options.Time:m\\:ss}: {await server.ScalarAsync<long>("select count(*) from keelback.run")} runs, {ready} ready");
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                // It is down, as planned.
            }
        }
    }

    private async Task HealAsync(Server server, Fleet fleet, Ledger log)
    {
        log.Write("H");
        foreach (var wire in fleet.Wires) wire.Fault = WireFault.None;
        await server.ExecuteAsync("update chaos_knob set error_rate = 0");
        for (var slot = 0; slot < options.Workers; slot++) fleet.Turn(slot, version: 2);
        using var maker = new FaultMaker(server, fleet, options, log);
        foreach (var old in fleet.All.Where(n => n.Slot < options.Workers && n.Role.Version == 1).ToList()) await maker.StopAsync(old);
        await fleet.StopProducersAsync();
        await server.ExecuteAsync("update keelback.schedule set paused = true, next_at = null, fire_at = null");

        var began = Stopwatch.GetTimestamp();
        var left = await UntilAsync(server, "select -count(*) from keelback.run where state = 0", 0, s_drain);
        Console.WriteLine($"chaos: drained in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s, {-left} open");

        // What is over its timeout still runs; nothing may be found held by anybody afterwards.
        await UntilAsync(server, "select -count(*) from keelback.claim", 0, TimeSpan.FromSeconds(30));
    }

    /// <summary>The value, once it is at least what is wanted, or when the patience is over.</summary>
    private static async Task<long> UntilAsync(Server server, string sql, long wanted, TimeSpan patience)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var value = await server.ScalarAsync<long>(sql);
            if (value >= wanted || Stopwatch.GetElapsedTime(began) > patience) return value;
            await Task.Delay(200);
        }
    }
}
