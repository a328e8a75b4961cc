using System.Globalization;
using Npgsql;

namespace Keelback.Chaos;

/// <summary>Makes what the plan says, and writes down from when to when it lasted.</summary>
internal sealed class FaultMaker(Server server, Fleet fleet, ChaosOptions options, Ledger log) : IDisposable
{
    private static readonly string[] s_places = ["after_claim", "before_effect", "before_commit", "after_commit", "chord_last", "tick_insert"];

    private readonly SemaphoreSlim _server = new(1); // one fault of the server at a time
    private readonly SemaphoreSlim _clock = new(1);
    private int _armed;

    public async Task MakeAsync(PlanItem item)
    {
        var made = await (item.Fault switch
        {
            "kill" => KillAsync(item),
            "tick-kill" => TickKillAsync(item),
            "failpoint" => FailPointAsync(item),
            "kill-producer" => KillProducerAsync(item),
            "zombie" => ZombieAsync(item),
            "crash" => DownAsync(item, "immediate", TimeSpan.Zero),
            "restart" => DownAsync(item, "fast", TimeSpan.FromSeconds(options.Full && item.Force > 0.9 ? 60 : item.Force * 15)),
            "terminate" => TerminateAsync(item),
            "lose-answers" => LoseAnswersAsync(item),
            "blackhole" => WireAsync(item, WireFault.Blackhole, item.Force switch { < 0.25 => 1, < 0.5 => 5, < 0.8 => 10, _ => 25 }),
            "one-way" => WireAsync(item, item.Force < 0.5 ? WireFault.NoAnswers : WireFault.NoRequests, 10),
            "slow" => WireAsync(item, item.Force < 0.6 ? WireFault.Slow : WireFault.Trickle, 8),
            "reset" => ResetAsync(item),
            "errors" => ErrorsAsync(item),
            "deadlock" => DeadlockAsync(item),
            "own-clock" => OwnClockAsync(item),
            "clock-back" => ClockBackAsync(item),
            "clock-ahead" => ClockAheadAsync(item),
            "poison" => CallAsync(item, Shape.Kills, 1, 0),
            "deaf" => CallAsync(item, Shape.Deaf, 2, 0),
            "snapshot" => SnapshotAsync(item),
            "herd" => HerdAsync(item),
            "roll" => RollAsync(item),
            _ => throw new InvalidOperationException(item.Fault),
        });
        if (!made) log.Write("m", item.Index, item.Fault); // nobody was free to be its victim
    }

    public void Dispose()
    {
        _server.Dispose();
        _clock.Dispose();
    }

    private async Task<bool> LastsAsync(PlanItem item, string victim, Func<Task> fault)
    {
        log.Write("b", item.Index, item.Fault, victim);
        try
        {
            await fault();
        }
        finally
        {
            log.Write("e", item.Index, item.Fault, victim);
        }

        return true;
    }

    private async Task<bool> WithWorkerAsync(PlanItem item, Func<Node, Task> fault)
    {
        // On a busy machine the dead are not replaced at once.
        Node? node = null;
        for (var i = 0; i < 150 && (node = fleet.TakeWorker(item.Pick)) is null; i++) await Task.Delay(100);
        if (node is null) return false;

        try
        {
            return await LastsAsync(item, node.Name, () => fault(node));
        }
        finally
        {
            node.IsTaken = false;
        }
    }

    private Task<bool> KillAsync(PlanItem item) => WithWorkerAsync(item, node =>
    {
        fleet.Kill(node, "kill");
        return Task.CompletedTask;
    });

    private async Task<bool> TickKillAsync(PlanItem item)
    {
        // The database's clock is this machine's, but for whole seconds.
        var second = DateTime.UtcNow.Ticks % TimeSpan.TicksPerSecond;
        var wait = TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(second) + TimeSpan.FromMilliseconds((item.Force * 40) - 20);
        await Task.Delay(wait);
        return await KillAsync(item);
    }

    private async Task<bool> KillProducerAsync(PlanItem item)
    {
        var producers = fleet.Producers;
        var node = producers[item.Pick % producers.Count];
        return await LastsAsync(item, node.Name, () =>
        {
            fleet.Kill(node, "kill");
            return Task.CompletedTask;
        });
    }

    // Whoever gets there first dies. A place that nobody gets to within its time is disarmed.
    private Task<bool> FailPointAsync(PlanItem item) => LastsAsync(item, "-", async () =>
    {
        var place = s_places[Interlocked.Increment(ref _armed) % s_places.Length];
        var file = Path.Combine(fleet.FailPoints, place);
        await File.WriteAllTextAsync(file, "");
        for (var i = 0; i < 100 && File.Exists(file); i++) await Task.Delay(100);
        File.Delete(file);
    });

    private Task<bool> ZombieAsync(PlanItem item) => WithWorkerAsync(item, async node =>
    {
        node.Signal("-STOP");
        await Task.Delay(2 * RoleOptions.Lease);
        node.Signal("-CONT");
        await Task.Delay(TimeSpan.FromSeconds(1)); // to write what it comes back with
    });

    private async Task<bool> DownAsync(PlanItem item, string how, TimeSpan down)
    {
        await _server.WaitAsync();
        try
        {
            return await LastsAsync(item, "server", async () =>
            {
                await server.StopAsync(how);
                await Task.Delay(down);
                await server.StartAgainAsync();
                await UpAsync();
            });
        }
        finally
        {
            _server.Release();
        }
    }

    private async Task UpAsync()
    {
        while (true)
        {
            try
            {
                await server.ScalarAsync<int>("select 1");
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                await Task.Delay(100);
            }
        }
    }

    private Task<bool> TerminateAsync(PlanItem item) => LastsAsync(item, "server", async () =>
    {
        for (var i = 0; i < 30; i++)
        {
            await TryAsync(
                "select pg_terminate_backend(pid) from (select pid from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() order by random() limit 2) x");
            await Task.Delay(200);
        }
    });

    private Task<bool> LoseAnswersAsync(PlanItem item)
    {
        var node = fleet.Any(item.Pick);
        return LastsAsync(item, node.Name, async () =>
        {
            fleet.WireOf(node).LoseAnswers(20);
            await Task.Delay(TimeSpan.FromSeconds(5));
            fleet.WireOf(node).LoseAnswers(0);
        });
    }

    private Task<bool> WireAsync(PlanItem item, WireFault fault, int seconds) => WithWorkerAsync(item, async node =>
    {
        var wire = fleet.WireOf(node);
        wire.Fault = fault;
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds));
        }
        finally
        {
            wire.Fault = WireFault.None;
        }
    });

    private Task<bool> ResetAsync(PlanItem item)
    {
        var node = fleet.Any(item.Pick);
        return LastsAsync(item, node.Name, () =>
        {
            fleet.WireOf(node).Reset();
            return Task.CompletedTask;
        });
    }

    private Task<bool> ErrorsAsync(PlanItem item) => LastsAsync(item, "server", async () =>
    {
        var rate = (0.02 + (item.Force * 0.2)).ToString(CultureInfo.InvariantCulture);
        await TryAsync($"update chaos_knob set error_rate = {rate}");
        await Task.Delay(TimeSpan.FromSeconds(8));
        while (!await TryAsync("update chaos_knob set error_rate = 0")) await Task.Delay(200);
    });

    // Completions lock waiting rows in the order of their ids; this one goes down.
    private Task<bool> DeadlockAsync(PlanItem item) => LastsAsync(item, "server", async () =>
    {
        for (var i = 0; i < 20; i++)
        {
            await TryAsync(
                """
                do $$
                declare x record;
                begin
                    for x in select run_id from keelback.wait order by run_id desc limit 20 loop
                        perform from keelback.wait where run_id = x.run_id for update;
                        perform pg_sleep(0.02);
                    end loop;
                    for x in select run_id from keelback.claim order by run_id desc limit 10 loop
                        perform from keelback.claim where run_id = x.run_id for update;
                    end loop;
                end $$
                """);
        }
    });

    private Task<bool> OwnClockAsync(PlanItem item)
    {
        if (!Fleet.HasFakeTime) return Task.FromResult(false);
        return LastsAsync(item, "w0", async () =>
        {
            await File.WriteAllTextAsync(fleet.ClockFile, item.Force < 0.5 ? "+7200" : "-7200");
            await Task.Delay(TimeSpan.FromSeconds(8));
            await File.WriteAllTextAsync(fleet.ClockFile, "+0");
        });
    }

    private async Task<bool> ClockBackAsync(PlanItem item)
    {
        await _clock.WaitAsync();
        try
        {
            return await LastsAsync(item, "clock", async () =>
            {
                var before = await OffsetAsync();
                await SetOffsetAsync(before - TimeSpan.FromHours(1));
                await Task.Delay(TimeSpan.FromSeconds(10));
                await SetOffsetAsync(before); // and with it a jump of an hour ahead
            });
        }
        finally
        {
            _clock.Release();
        }
    }

    private async Task<bool> ClockAheadAsync(PlanItem item)
    {
        await _clock.WaitAsync();
        try
        {
            return await LastsAsync(item, "clock", async () => await SetOffsetAsync(await OffsetAsync() + TimeSpan.FromDays(10)));
        }
        finally
        {
            _clock.Release();
        }
    }

    private async Task<TimeSpan> OffsetAsync()
    {
        while (true)
        {
            try
            {
                return await server.ScalarAsync<TimeSpan>("select coalesce((select by from keelback.clock_offset), '0')");
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                await Task.Delay(200);
            }
        }
    }

    private async Task SetOffsetAsync(TimeSpan offset)
    {
        var seconds = offset.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        while (!await TryAsync(
            $"with gone as (delete from keelback.clock_offset) insert into keelback.clock_offset select make_interval(secs => {seconds})")) await Task.Delay(200);
    }

    private async Task<bool> CallAsync(PlanItem item, Shape shape, int count, int delayMs)
    {
        var producers = fleet.Producers;
        return await LastsAsync(item, "-", () =>
        {
            producers[item.Pick % producers.Count].Tell($"call {shape} {count} {delayMs}");
            return Task.CompletedTask;
        });
    }

    private Task<bool> SnapshotAsync(PlanItem item) => LastsAsync(item, "-", async () =>
    {
        try
        {
            await using var connection = await server.Db.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            await using var look = new NpgsqlCommand("select count(*) from keelback.ready", connection);
            await look.ExecuteScalarAsync();
            await Task.Delay(TimeSpan.FromSeconds(options.Full ? 40 : 15));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // Another fault has ended it.
        }
    });

    private async Task<bool> HerdAsync(PlanItem item)
    {
        var count = options.Full ? 2000 : 400;
        fleet.Producers[item.Pick % fleet.Producers.Count].Tell($"call {Shape.Plain} {count} 8000");
        await Task.Delay(TimeSpan.FromSeconds(6));
        return await DownAsync(item, "fast", TimeSpan.FromSeconds(5));
    }

    private async Task<bool> RollAsync(PlanItem item)
    {
        for (var slot = 0; slot < fleet.Workers; slot++)
        {
            var node = fleet.All[slot];
            if (node.IsTaken || node.IsDoomed || node.HasExited) continue;
            node.IsTaken = true;
            await LastsAsync(item, node.Name, () => StopAsync(node));
            fleet.Turn(slot);
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }

        return true;
    }

    /// <summary>SIGTERM: it takes no more, keeps what ends in time, hands back the rest, and exits with 0, unless it dies of something else meanwhile.</summary>
    public async Task StopAsync(Node node)
    {
        node.IsDoomed = true;
        var at = Ledger.Now;
        log.Write("G", node.Name);
        node.Signal("-TERM");
        var ended = await node.ExitsWithinAsync(TimeSpan.FromSeconds(60));
        var took = System.Diagnostics.Stopwatch.GetElapsedTime(at);
        if (ended && node.ExitCode != 0 && fleet.OtherCauseOf(node) is { } why) log.Write("D", node.Name, why);
        else log.Write("T", node.Name, ended ? node.ExitCode : -1, (int)took.TotalMilliseconds);
        if (!ended) fleet.Kill(node, "stuck");
    }

    /// <summary>False: the database is away.</summary>
    private async Task<bool> TryAsync(string sql)
    {
        try
        {
            await server.ExecuteAsync(sql);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }
}
