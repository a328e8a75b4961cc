using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>Enqueues jobs, and tells what became of them. A scoped service.</summary>
/// <remarks>
/// Inside a transactional job every enqueueing rides the job's transaction: it happens if and only if the job completes. A context of its scope that has
/// another transaction is refused (KB1299). All else here, such as cancelling runs, happens at once, as changes by <see cref="JobSchedules"/> do.
/// </remarks>
public sealed partial class JobClient
{
    private static readonly TimeSpan s_firstLook = TimeSpan.FromMilliseconds(20);

    private readonly Submission _submission;
    private readonly JobConnections _connections;
    private readonly QueueCatalog _queues;
    private readonly JobContext _context;
    private readonly CurrentAttempt _current;
    private readonly JobWakes _wakes;
    private readonly RunWaiters _waiters;
    private readonly JobNews _news;
    private readonly JobSecrets _secrets;
    private readonly JobsOptions _options;
    private readonly TimeProvider _clock;

    internal JobClient(
        Submission submission, JobConnections connections, QueueCatalog queues, JobContext context, CurrentAttempt current,
        JobWakes wakes, RunWaiters waiters, JobNews news, JobSecrets secrets, IOptions<JobsOptions> options, TimeProvider clock)
    {
        (_submission, _connections, _queues, _context, _current, _wakes, _waiters, _news, _secrets, _options, _clock) =
            (submission, connections, queues, context, current, wakes, waiters, news, secrets, options.Value, clock);
    }

    /// <summary>Enqueues a job, and whatever it waits for, in one transaction. Returns the run's id.</summary>
    /// <remarks>
    /// What <paramref name="options"/> set wins over the job's own <see cref="Job.With"/>, member by member; what they leave out stays.
    /// They are for this job, not for those that it waits for.
    /// </remarks>
    /// <exception cref="KeelbackException">KB1206 to KB1208: arguments or options that cannot be stored; nothing stays. KB1232: its id is that of another kind. KB1270: the database went away, and may have it. KB1271: it is away.</exception>
    public async Task<long> EnqueueAsync(Job job, EnqueueOptions? options = null, CancellationToken ct = default) =>
        (await SubmitAsync(EnqueuePlan.Of([job], options), ct))[0];

    /// <summary>As <see cref="EnqueueAsync(Job, EnqueueOptions?, CancellationToken)"/>; answers also whether it made a run, and in whose favour if not.</summary>
    internal async Task<PlannedRun> EnqueueToldAsync(Job job, EnqueueOptions options, CancellationToken ct)
    {
        var plan = EnqueuePlan.Of([job], options);
        await SubmitAsync(plan, ct);
        return plan.Roots[0];
    }

    /// <summary>Enqueues in the transaction that is open on <paramref name="db"/>: the run exists if and only if it commits.</summary>
    /// <exception cref="KeelbackException">KB1210: no transaction is open. KB1299: inside a job that commits with another; else as <see cref="EnqueueAsync(Job, EnqueueOptions?, CancellationToken)"/>.</exception>
    public async Task<long> EnqueueAsync(DbContext db, Job job, EnqueueOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(db);
        return (await _submission.JoinAsync(db, EnqueuePlan.Of([job], options), ct))[0];
    }

    /// <summary>Enqueues many jobs in one transaction, thousands in a round trip. Returns their runs' ids in order.</summary>
    /// <exception cref="KeelbackException">KB1206 to KB1208; nothing stays. A job with an <see cref="EnqueueOptions.Id"/> is a KB1208: enqueue it by itself.</exception>
    public Task<long[]> EnqueueManyAsync(IEnumerable<Job> jobs, CancellationToken ct = default) => SubmitAsync(Many(jobs), ct);

    /// <summary>As <see cref="EnqueueManyAsync(IEnumerable{Job}, CancellationToken)"/>, in the transaction that is open on <paramref name="db"/>.</summary>
    /// <exception cref="KeelbackException">KB1210: no transaction is open. KB1299: inside a job that commits with another; else as there, a job with an <see cref="EnqueueOptions.Id"/> included.</exception>
    public Task<long[]> EnqueueManyAsync(DbContext db, IEnumerable<Job> jobs, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(db);
        return _submission.JoinAsync(db, Many(jobs), ct);
    }

    /// <summary>Ends an open run, whatever took its place, and every run that waits for its success. A running attempt's token is cancelled, and what it still writes is fenced.</summary>
    /// <returns>False: it had ended already, or there is none.</returns>
    public async Task<bool> CancelAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await EndAsync(connection, [run], ct) > 0;
    }

    /// <summary>The run as it is now; null when there is none, or its retention is over.</summary>
    public async Task<JobRun?> GetAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await RunReader.FindAsync(connection.Connection, run, _queues.App, _secrets, ct);
    }

    /// <summary>The attempts that did not succeed, in order.</summary>
    public async Task<IReadOnlyList<JobAttempt>> GetAttemptsAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await RunReader.AttemptsAsync(connection.Connection, run, _queues.App, ct);
    }

    /// <summary>The run when it has ended, however. Holds no thread and no connection meanwhile, so a request may await it.</summary>
    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1273: inside a run, by whatever scope: it would hold its slot for another's.</exception>
    public async Task<JobRun> WaitAsync(long run, CancellationToken ct = default)
    {
        await foreach (var news in WatchAsync(run, ct))
            if (news.HasEnded) return news;

        throw JobErrors.NoSuchRun(run); // not reached: the news end with the run's end
    }

    /// <summary>The result of a run, when it has ended.</summary>
    /// <exception cref="KeelbackException">KB1209: it ended without one. KB1274: its result was not kept. KB1285: it is not a <typeparamref name="T"/>. Else as <see cref="WaitAsync"/>.</exception>
    public async Task<T?> ResultAsync<T>(long run, CancellationToken ct = default) => (await WaitAsync(run, ct)).Result<T>();

    /// <summary>The run as it is now, and again whenever its state, its attempt or what <see cref="JobContext.ReportAsync"/> told has changed; last, how it ended.</summary>
    /// <remarks>
    /// News of this process come at once. Those of others are looked for, 20 ms late at most, or by a twentieth of the wait so far where that is more, and
    /// never by more than <see cref="JobsOptions.PollInterval"/>. What changes in between is not told.
    /// </remarks>
    /// <exception cref="KeelbackException">As <see cref="WaitAsync"/>.</exception>
    public async IAsyncEnumerable<JobRun> WatchAsync(long run, [EnumeratorCancellation] CancellationToken ct = default)
    {
        if (_current.IsRunning) throw JobErrors.WaitInsideRun(run);

        JobRun? last = null;
        var began = _clock.GetTimestamp();
        using var watch = _waiters.Of(run);
        while (true)
        {
            var news = watch.Next(); // before the look, so that what happens in between is not missed
            if (await GetAsync(run, ct) is not { } found) throw JobErrors.NoSuchRun(run);
            if (last is null || (found.State, found.Attempt, found.ReportedAt) != (last.State, last.Attempt, last.ReportedAt))
                yield return last = found;

            if (found.HasEnded) yield break;

            await Task.WhenAny(news, Task.Delay(PauseAfter(_clock.GetElapsedTime(began)), _clock, ct));
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>What the run's attempts logged, in order: up to <see cref="JobsOptions.LogLines"/> of each. Lines arrive within a second.</summary>
    public async Task<IReadOnlyList<RunLogLine>> GetLogAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await RunReader.LogAsync(connection.Connection, run, _queues.App, ct);
    }

    // Who ends a run does not know who waits for it elsewhere, and to learn it would cost every run a look into a table. So who waits looks, and the more
    // often the less it has waited: sixty looks by key for a wait of 3 s.
    private TimeSpan PauseAfter(TimeSpan waited)
    {
        var pause = waited / 20 > s_firstLook ? waited / 20 : s_firstLook;
        return pause < _options.PollInterval ? pause : _options.PollInterval;
    }

    private Task<long[]> SubmitAsync(EnqueuePlan plan, CancellationToken ct) =>
        _context.Db is { } db ? _submission.JoinAsync(db, plan, ct) : _submission.AloneAsync(plan, ct);

    private static EnqueuePlan Many(IEnumerable<Job> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return EnqueuePlan.Of(jobs);
    }
}
