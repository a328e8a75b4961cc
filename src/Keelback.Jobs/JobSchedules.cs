using Npgsql;

namespace Keelback.Jobs;

/// <summary>The app's schedules at run time: those of its code, and those that are added here. A scoped service.</summary>
/// <remarks>Every change holds on all nodes at once, and is kept. A schedule of the code that is changed here stays so, whatever is deployed, until <see cref="ResetAsync"/>.
/// Changes are committed at once, in a transactional job too: they do not go with its transaction, and its next attempt finds them done. There
/// <see cref="AddOrChangeAsync"/> is the one that may be made again, where <see cref="AddAsync"/> is refused (KB1259).</remarks>
public sealed class JobSchedules
{
    private readonly JobConnections _connections;
    private readonly ScheduleStore _store;
    private readonly ScheduleCalls _calls;
    private readonly EnqueueWriter _writer;
    private readonly JobWakes _wakes;
    private readonly JobNews _news;

    internal JobSchedules(JobConnections connections, ScheduleStore store, ScheduleCalls calls, EnqueueWriter writer, JobWakes wakes, JobNews news) =>
        (_connections, _store, _calls, _writer, _wakes, _news) = (connections, store, calls, writer, wakes, news);

    /// <summary>All of the app's, by name.</summary>
    public async Task<IReadOnlyList<JobSchedule>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return [.. (await _store.AllAsync(connection.Connection, ct)).Select(row => row.ToSchedule())];
    }

    /// <summary>Null: there is none of this name.</summary>
    public async Task<JobSchedule?> GetAsync(string name, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return (await _store.FindAsync(connection.Connection, name, locked: false, ct))?.ToSchedule();
    }

    /// <summary>What became of its latest ticks, the last one first.</summary>
    /// <param name="name">The schedule.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="KeelbackException">KB1260.</exception>
    public async Task<IReadOnlyList<JobTick>> GetHistoryAsync(string name, int count = 20, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        await using var connection = await _connections.OpenAsync(ct);
        var row = await _store.GetAsync(connection.Connection, name, locked: false, ct);
        return await ScheduleStore.HistoryAsync(connection.Connection, row, count, ct);
    }

    /// <summary>Adds a schedule. Its call is stored as it is now: a single job, or a graph.</summary>
    /// <exception cref="KeelbackException">KB1206 to KB1208, KB1263: the call. KB1256, KB1257: the schedule. KB1259: the name is taken.</exception>
    public Task AddAsync(string name, Trigger trigger, Job call, ScheduleOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(trigger);
        options ??= new();
        ScheduleRules.Check(name, trigger, options);
        var definition = new ScheduleDefinition(trigger, options, _calls.Store(name, call), IsLive: false);

        return InTransactionAsync(async connection =>
        {
            if (!await InsertAsync(connection, name, definition, ct)) throw JobErrors.ScheduleExists(name);
            return true;
        }, ct);
    }

    /// <summary>Adds a schedule, or makes the one of this name so: its trigger, its call and its options, as <see cref="ChangeAsync"/> does.</summary>
    /// <remarks>
    /// Safe to call again, and at once from several nodes. The same times keep their next tick; a schedule of the code stays overridden until it is reset.
    /// One that the code has no more becomes one of run time, and counts from now.
    /// </remarks>
    /// <exception cref="KeelbackException">As <see cref="AddAsync"/>, but for KB1259.</exception>
    public Task AddOrChangeAsync(string name, Trigger trigger, Job call, ScheduleOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(trigger);
        options ??= new();
        ScheduleRules.Check(name, trigger, options);
        var definition = new ScheduleDefinition(trigger, options, _calls.Store(name, call), IsLive: false);

        return InTransactionAsync(async connection =>
        {
            while (true) // one that was not there may be a moment later, and the other way round
            {
                if (await _store.FindAsync(connection, name, locked: true, ct) is { } row)
                {
                    var changed = row.IsRetired
                        ? row with { Definition = definition, Program = null, Code = null, IsRetired = false, IsOverridden = false }
                        : row with { Definition = definition, IsOverridden = row.Program is not null };
                    await SaveAsync(connection, row, changed, ct);
                    return true;
                }

                if (await InsertAsync(connection, name, definition, ct)) return true;
            }
        }, ct);
    }

    /// <summary>Changes what is given; the rest stays. Options are one: they are replaced as a whole, so give <c>schedule.Options with { … }</c>. A new trigger or other bounds count from now: ticks that passed are not made up for.</summary>
    /// <exception cref="KeelbackException">KB1260: no such schedule. KB1265: the code has it no more; else as <see cref="AddAsync"/>.</exception>
    public Task ChangeAsync(
        string name, Trigger? trigger = null, Job? call = null, ScheduleOptions? options = null, CancellationToken ct = default) =>
        UpdateAsync(name, row =>
        {
            if (row.IsRetired) throw JobErrors.ScheduleIsRetired(name);
            var (old, stored) = (row.Definition, call is null ? row.Definition.Call : _calls.Store(name, call));
            var changed = new ScheduleDefinition(trigger ?? old.Trigger, options ?? old.Options, stored, old.IsLive && call is null);
            ScheduleRules.Check(name, changed.Trigger, changed.Options);
            return row with { Definition = changed, IsOverridden = row.Program is not null };
        }, ct);

    /// <summary>Takes back what was changed at run time: the schedule is again as the code has it.</summary>
    /// <exception cref="KeelbackException">KB1260. KB1264: the code does not have it.</exception>
    public Task ResetAsync(string name, CancellationToken ct = default) => UpdateAsync(name, row => row.Code is { } code
        ? row with { Definition = code, IsOverridden = false }
        : throw JobErrors.ScheduleNotOfCode(name), ct);

    /// <summary>No tick until it is resumed; deploys do not resume it.</summary>
    /// <exception cref="KeelbackException">KB1260.</exception>
    public Task PauseAsync(string name, CancellationToken ct = default) => UpdateAsync(name, row => row with { IsPaused = true }, ct);

    /// <summary>Ticks again, from the next one on: also one that a clock which leapt ahead, and was put back, has left silent.</summary>
    /// <exception cref="KeelbackException">KB1260. KB1265: the code has it no more.</exception>
    public Task ResumeAsync(string name, CancellationToken ct = default) =>
        UpdateAsync(name, row => row.IsRetired ? throw JobErrors.ScheduleIsRetired(name) : row with { IsPaused = false }, ct);

    /// <summary>Deletes a schedule that was added at run time, or that the code has no more, and its history. Its runs stay.</summary>
    /// <exception cref="KeelbackException">KB1260. KB1261: the code has it.</exception>
    public Task RemoveAsync(string name, CancellationToken ct = default) => InTransactionAsync(async connection =>
    {
        var row = await _store.GetAsync(connection, name, locked: true, ct);
        if (row.Program is not null && !row.IsRetired) throw JobErrors.ScheduleIsCode(name);
        await ScheduleStore.DeleteAsync(connection, row.Id, ct);
        return true;
    }, ct);

    /// <summary>Enqueues its call now, whatever its state and its overlap policy; its ticks stay as they are, and so do their intervals.</summary>
    /// <remarks>The call's <see cref="ScheduleTick"/> is from the last tick that enqueued until now; the next tick begins at that tick all the same.</remarks>
    /// <returns>The run.</returns>
    /// <exception cref="KeelbackException">KB1260. KB1262: this process lacks the code that makes the call.</exception>
    public async Task<long> RunNowAsync(string name, CancellationToken ct = default)
    {
        var call = await RunNowToldAsync(name, null, ct);
        return call.Answer ?? call.Id;
    }

    /// <summary>As <see cref="RunNowAsync"/>, once for each id; answers also whether it made a run, and in whose favour if not.</summary>
    internal async Task<PlannedRun> RunNowToldAsync(string name, Guid? id, CancellationToken ct)
    {
        var told = await InTransactionAsync(async connection =>
        {
            var row = await _store.GetAsync(connection, name, locked: false, ct);
            var plan = EnqueuePlan.Of([_calls.Make(row, row.Now)], id is null ? null : new() { Id = id });
            var run = (await _writer.WriteAsync(plan, connection, ct))[0];
            if (plan.Roots[0].Twin is null) await ScheduleStore.NoteAsync(connection, row.Id, row.Now, run, ct);
            return plan;
        }, ct);

        _wakes.Workers();
        _wakes.Timers();
        _news.Enqueued(told);
        return told.Roots[0];
    }

    private Task<bool> UpdateAsync(string name, Func<ScheduleRow, ScheduleRow> change, CancellationToken ct) => InTransactionAsync(async connection =>
    {
        var row = await _store.GetAsync(connection, name, locked: true, ct);
        await SaveAsync(connection, row, change(row), ct);
        return true;
    }, ct);

    private static Task SaveAsync(NpgsqlConnection connection, ScheduleRow row, ScheduleRow changed, CancellationToken ct)
    {
        var sameTimes = !row.IsRetired && changed.Definition.TicksAs(row.Definition);
        if (!sameTimes) changed = changed.From(row.Now);
        changed = changed.AsOfNow(); // who changes it goes by the clock that there is now

        var (goesOn, fromNow) = (row.Ticks && changed.Ticks && sameTimes, changed.NextFromNow());
        return ScheduleStore.UpdateAsync(connection, changed, goesOn && !(row.NextAt > fromNow) ? row.NextAt : fromNow, ct);
    }

    private async Task<bool> InsertAsync(NpgsqlConnection connection, string name, ScheduleDefinition definition, CancellationToken ct)
    {
        var now = await ScheduleStore.NowAsync(connection, ct);
        var row = new ScheduleRow(0, name, definition, now) { Now = now };
        if (row.NextFromNow() is null) throw JobErrors.ScheduleNeverFires(name, definition.Trigger, definition.Options with { Start = definition.Options.Start ?? now });
        return await _store.InsertAsync(connection, row, ct);
    }

    private async Task<T> InTransactionAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await _connections.OpenAsync(ct);
        var done = await connection.AtomicallyAsync(work, ct);
        _wakes.Schedules();
        return done;
    }
}
