using System.Collections.Concurrent;

namespace Keelback.Chaos;

/// <summary>The processes of a run, each on a wire of its own. Who dies has a successor at once.</summary>
internal sealed class Fleet(Server server, Pooler? pooler, ChaosOptions options, string folder, Ledger log) : IAsyncDisposable
{
    private const string FakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Wire> _wires = [];
    private readonly Dictionary<int, int> _births = [];
    private readonly Dictionary<int, int> _versions = [];
    private readonly ConcurrentDictionary<int, Node> _nodes = new();
    private readonly CancellationTokenSource _end = new();
    private Task? _watching;
    private volatile bool _closing;

    /// <summary>Workers come first, then producers.</summary>
    public int Workers => options.Workers;

    public bool IsPooled => pooler is not null;

    public static bool HasFakeTime => File.Exists(FakeTime);

    public string FailPoints { get; } = Directory.CreateDirectory(Path.Combine(folder, "failpoints")).FullName;

    /// <summary>What the clock of the worker that has one of its own is ahead by, as libfaketime reads it.</summary>
    public string ClockFile { get; } = Path.Combine(folder, "clock");

    public ConcurrentQueue<string> Surprises { get; } = new();

    public int AnswersLost => _wires.Values.Sum(wire => wire.AnswersLost);

    public void Start()
    {
        File.WriteAllText(ClockFile, "+0");
        for (var slot = 0; slot < options.Workers + options.Producers; slot++)
        {
            _wires[slot] = new(IsPooledSlot(slot) ? pooler!.Port : server.Port);
            _versions[slot] = slot % 2 == 0 ? 2 : 1;
            Launch(slot);
        }

        _watching = WatchAsync();
    }

    public Wire WireOf(Node node) => _wires[node.Slot];

    public IEnumerable<Wire> Wires => _wires.Values;

    public IReadOnlyList<Node> All => [.. _nodes.Values.OrderBy(n => n.Slot)];

    public IReadOnlyList<Node> Producers => [.. All.Where(n => n.Slot >= options.Workers)];

    /// <summary>A worker that no other fault has, by the plan's number; at least two are left alone. Null: there is none.</summary>
    public Node? TakeWorker(int pick)
    {
        lock (_gate)
        {
            var free = All.Where(n => n.Slot < options.Workers && !n.IsTaken && !n.IsDoomed && !n.HasExited && IsReady(n)).ToList();
            if (free.Count <= 2) return null;
            var node = free[pick % free.Count];
            node.IsTaken = true;
            return node;
        }
    }

    /// <summary>Any process, producers included, to be hit for a moment.</summary>
    public Node Any(int pick)
    {
        var all = All;
        return all[pick % all.Count];
    }

    public void Kill(Node node, string why)
    {
        node.IsDoomed = true;
        log.Write("D", node.Name, why);
        node.Kill();
    }

    /// <summary>What it died of without our doing: a fail point, a start while the database was away, a job that takes its process with it. Null: none of these.</summary>
    public string? OtherCauseOf(Node node) =>
        Directory.EnumerateFiles(FailPoints, $"*.{node.Pid}").Select(Path.GetFileNameWithoutExtension).FirstOrDefault() is { } place ? "failpoint:" + place
        : !IsReady(node) ? "start"
        : node.ExitCode == 134 ? "failfast"
        : null;

    /// <summary>The next process of this place has the other version.</summary>
    public void Turn(int slot, int? version = null) => _versions[slot] = version ?? (3 - _versions[slot]);

    /// <summary>Tells producers to hold on, or to go on.</summary>
    public void TellProducers(string line)
    {
        foreach (var producer in Producers) producer.Tell(line);
    }

    public async Task StopProducersAsync()
    {
        _closing = true;
        TellProducers("go");
        TellProducers("stop");
        foreach (var producer in Producers)
        {
            producer.IsDoomed = true;
            if (await producer.ExitsWithinAsync(TimeSpan.FromSeconds(150))) continue;
            log.Write("D", producer.Name, "stuck");
            producer.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        await _end.CancelAsync();
        if (_watching is not null) await _watching;
        foreach (var node in _nodes.Values) node.Dispose();
        foreach (var wire in _wires.Values) await wire.DisposeAsync();
        _end.Dispose();
    }

    private static bool IsReady(Node node) =>
        File.Exists(node.Role.Ledger) && File.ReadLines(node.Role.Ledger).Any(line => line.StartsWith("R ", StringComparison.Ordinal));

    private bool IsPooledSlot(int slot) => pooler is not null && slot == options.Workers - 1;

    private bool HasOwnClock(int slot) => HasFakeTime && slot == 0 && options.Workers > 3;

    private void Launch(int slot)
    {
        var isWorker = slot < options.Workers;
        var index = isWorker ? slot : slot - options.Workers;
        var birth = _births[slot] = _births.GetValueOrDefault(slot) + 1;
        if (birth == 1) while (isWorker && File.Exists(LedgerOf($"w{index}.{birth}"))) birth = ++_births[slot]; // of a run that goes on

        var name = isWorker ? $"w{index}.{birth}" : $"p{index}";
        var connection = server.ConnectionString(_wires[slot].Port) + (isWorker
            ? ";Maximum Pool Size=24;Timeout=3;Command Timeout=10;Cancellation Timeout=1000;Keepalive=5"
            : ";Maximum Pool Size=30;Timeout=10;Command Timeout=10;Cancellation Timeout=1000;Keepalive=5");
        if (IsPooledSlot(slot)) connection += ";No Reset On Close=true";
        var role = new RoleOptions(name, connection, LedgerOf(name), IsPooledSlot(slot) ? "pooled" : "direct", options.Seed, index, _versions[slot],
            Math.Max(1, options.Rate / Math.Max(1, options.Producers)));

        List<(string, string)> settings = isWorker ? [("KEELBACK_FAILPOINTS", FailPoints)] : [];
        if (isWorker && HasOwnClock(slot))
        {
            // With its "monotonic fix" each timed wait of .NET ends at once, and the process spins.
            settings.AddRange(
            [
                ("LD_PRELOAD", FakeTime), ("FAKETIME_TIMESTAMP_FILE", ClockFile), ("FAKETIME_CACHE_DURATION", "1"),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_FORCE_MONOTONIC_FIX", "0"),
            ]);
        }

        _nodes[slot] = Node.Start(isWorker ? "worker" : "producer", role, slot, Path.Combine(folder, "logs", name + ".log"), settings);
        log.Write("N", name, _versions[slot]);
    }

    private string LedgerOf(string name) => Path.Combine(folder, "ledger", name + ".txt");

    // Buries the dead and starts their successors.
    private async Task WatchAsync()
    {
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!_end.IsCancellationRequested)
        {
            await clock.WaitForNextTickAsync();
            foreach (var node in All.Where(n => n.HasExited))
            {
                if (_closing && node.Slot >= options.Workers) continue;
                try
                {
                    Replace(node);
                }
                catch (Exception e) when (!_end.IsCancellationRequested)
                {
                    Surprises.Enqueue($"{node.Name} could not be replaced: {e}"); // and is tried again
                }
            }
        }
    }

    private void Replace(Node node)
    {
        lock (_gate)
        {
            if (!node.IsDoomed) Unforeseen(node);
            node.Dispose();
            if (!_end.IsCancellationRequested) Launch(node.Slot);
        }
    }

    private void Unforeseen(Node node)
    {
        var why = OtherCauseOf(node) ?? $"exit:{node.ExitCode}";
        log.Write("D", node.Name, why);
        if (why.StartsWith("exit", StringComparison.Ordinal)) Surprises.Enqueue($"{node.Name} ended by itself: {why}; its log tells why");
    }
}
