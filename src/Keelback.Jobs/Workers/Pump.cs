using Keelback.Postgres;

namespace Keelback.Jobs;

/// <summary>What a worker does next: what it tells and asks in one exchange, and what follows from the answer. No I/O, no thread, no clock but the one it is given.</summary>
/// <remarks>
/// A turn is <see cref="Begin"/>, <see cref="Request"/>, and one of <see cref="Heard"/> and <see cref="Failed"/>; turns come one after the other. Any thread
/// may say at any time that an attempt ended, that a look is worth while, or that the worker stops. No more is claimed than can start at
/// once, so a claim is a start. An outcome keeps being told until it is written: while the database is away outcomes wait, bounded by the
/// slots, because nothing new is claimed. Of suspects it holds one at a time, so that one that kills is not charged to the others.
/// </remarks>
internal sealed class Pump(JobsOptions options, Slots slots, string app, string[] kinds, TimeProvider clock)
{
    private static readonly TimeSpan s_busyPoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_fullScan = TimeSpan.FromSeconds(1);

    private readonly Untold _untold = new(clock);
    private readonly HashSet<Outcome> _doubted = new(ReferenceEqualityComparer.Instance);
    private readonly Wish _look = new();
    private readonly Wish _claims = new();
    private volatile bool _draining;
    private volatile bool _atOnce;
    private bool _answerLost;
    private long _lastFull;
    private TimeSpan _idle = s_busyPoll;

    public RunningJobs Jobs { get; } = new(clock);

    /// <summary>Where it looks, and from which numbers on.</summary>
    public Lanes Lanes { get; } = new(clock);

    public Slots Slots => slots;

    public bool IsDraining => _draining;

    /// <inheritdoc cref="Untold.IsOneByOne"/>
    public bool TellsOneByOne => _untold.IsOneByOne;

    /// <summary>Nothing runs, nothing is left to tell, and nothing will come. Asked between turns.</summary>
    public bool IsDrained => _draining && Jobs.IsEmpty && _untold.Count == 0;

    /// <summary>Whether somebody must give back what the database has under this worker's name.</summary>
    public bool HoldsAny => !Jobs.IsEmpty || _untold.Count > 0 || _answerLost;

    /// <summary>Outcomes that were told, and whose answer was lost: they may be written, and change no row when they are told again.</summary>
    public IReadOnlySet<Outcome> Doubted => _doubted;

    /// <summary>Whether one more could start.</summary>
    public bool HasRoom => slots.Free(Jobs.Count) > 0;

    private TimeSpan FullScan => options.PollInterval < s_fullScan ? options.PollInterval : s_fullScan;

    /// <summary>No claim from here on; at once: whatever runs, or just begins, is cancelled and handed back.</summary>
    public void Drain(bool atOnce)
    {
        _draining = true;
        if (!atOnce) return;

        _atOnce = true; // before the look at what runs: what starts meanwhile sees it
        foreach (var job in Jobs.All) job.Stop(StopReason.Released);
    }

    /// <summary>Some claim was taken away in this process: it asks whether it is one of ours.</summary>
    public void AskForClaims() => _claims.Make();

    /// <summary>Something came back that is below the marks, or a queue is open that was not, or the other way round.</summary>
    public void LookAgain() => _look.Make();

    /// <summary>Takes what ended, and decides what this turn is for.</summary>
    public Turn Begin()
    {
        _untold.Take(Jobs);
        var telling = _untold.Next(out var isAlone);
        var (looks, asks) = (_look.Made, _claims.Made);
        var isFull = !isAlone && (_look.IsOpen(looks) || clock.GetElapsedTime(_lastFull) >= FullScan);
        return new(telling, isAlone, isFull, isFull || _claims.IsOpen(asks), looks, asks);
    }

    /// <param name="turn">What it is for.</param>
    /// <param name="worker">Who asks; null while no lease is held.</param>
    public ExchangeRequest Request(Turn turn, WorkerIdentity? worker)
    {
        var free = slots.Free(Jobs.Count);
        var hasSuspect = Jobs.Held.Any(claim => claim.IsSuspect);
        return new()
        {
            Outcomes = turn.Telling,
            Doubted = _doubted.Count == 0 ? [] : [.. turn.Telling.Where(_doubted.Contains)],
            LockTimeout = turn.IsAlone ? Patience.Alone : Patience.Usual,
            Claim = free > 0 && !turn.IsAlone && !_draining && worker is { } claimer
                ? Lanes.Request(free, turn.IsFull || turn.Telling.Exists(o => o.Claim.Limited), claimer, app, kinds) with { TakesSuspect = !hasSuspect }
                : null,
            Held = turn.AsksForClaims ? [.. Jobs.Claims] : [],
            Known = _answerLost && worker is { } known ? (known, [.. Jobs.Held.Concat(_untold.All.Select(o => o.Claim)).Select(claim => claim.Token)]) : null,
        };
    }

    /// <summary>The exchange was committed. What it claimed is started one by one, with <see cref="Start"/> or <see cref="RunningJobs.EndUnstarted"/>.</summary>
    /// <returns>The attempts that have lost their claims, and should be stopped.</returns>
    public IReadOnlyList<RunningJob> Heard(Turn turn, ExchangeRequest request, ExchangeResult result)
    {
        if (request.Known is not null) _answerLost = false; // without a lease nothing was handed back: still to be done when it is held again
        _untold.Told(turn.Telling.Count);
        if (_doubted.Count > 0) _doubted.ExceptWith(turn.Telling);
        _claims.Fulfil(turn.Asks);
        if (turn.IsFull)
        {
            _look.Fulfil(turn.Looks);
            _lastFull = clock.GetTimestamp();
        }

        if (turn.Telling.Exists(outcome => outcome.Claim.IsSuspect)) _look.Make(); // the next may have its turn, and lies before all marks
        if (request.Claim is { } looked) slots.Saw(Jobs.Count + result.Claimed.Claims.Count, result.Claimed.Seen.Count == looked.Limit);
        Lanes.Saw(result.Claimed.Seen);

        if (result.Lost.Count == 0) return [];
        return [.. result.Lost.Select(Jobs.Find).OfType<RunningJob>()];
    }

    /// <summary>The exchange was not committed, or nobody knows. False: it may be tried again without a rest.</summary>
    /// <param name="failure">How it failed.</param>
    /// <param name="told">What it told.</param>
    /// <param name="reason">How an attempt ends whose outcome was refused alone. A run must end, so this is told in its place.</param>
    public bool Failed(ExchangeFailure failure, IReadOnlyList<Outcome> told, Func<Claim, Outcome> reason)
    {
        switch (failure)
        {
            case ExchangeFailure.Refused when told.Count > 0:
                _untold.Refused(reason);
                return false;
            case ExchangeFailure.HeldUp:
                if (told.Count > 0) _untold.HeldUp();
                return false;
            case ExchangeFailure.RolledBack:
                return false;
            default:
                _doubted.UnionWith(told);
                _answerLost = true;
                return true;
        }
    }

    /// <summary>Nobody will start what was claimed: it goes back with the next exchange, as if its answer had been lost.</summary>
    public void Forget() => _answerLost = true;

    public RunningJob Start(Claim claim)
    {
        var job = Jobs.Start(claim);
        if (_atOnce) job.Stop(StopReason.Released);
        return job;
    }

    /// <summary>Gives up what did not stop when it was told to: it keeps its thread, but neither its run nor its slot. Each must <see cref="RunningJobs.Leave"/>.</summary>
    public IEnumerable<RunningJob> GiveUp(Turn turn) =>
        turn.IsFull ? Jobs.All.Where(job => job.IsOverdue(options.AbandonAfter) && Jobs.TryAbandon(job)) : [];

    /// <summary>Until the next turn, if nobody wakes it.</summary>
    public TimeSpan Rest(Turn turn, ExchangeRequest request, ExchangeResult result)
    {
        if (_untold.CountAtOnce > 0 || turn.IsAlone || _look.IsOpen(_look.Made)) return TimeSpan.Zero;

        var claimed = result.Claimed.Seen.Count;
        if (request.Claim is { } asked && claimed == asked.Limit && slots.Free(Jobs.Count) > 0) return TimeSpan.Zero;

        // Busy: look again soon, in case nobody tells us. Idle: ever more seldom. No slot free: an outcome will wake us.
        _idle = claimed > 0 ? s_busyPoll : _idle * 2;
        if (_idle > options.PollInterval) _idle = options.PollInterval;
        return _idle < FullScan ? _idle : FullScan;
    }

    /// <summary>After the last turn: what was not told, taken away for somebody else to tell.</summary>
    public IReadOnlyList<Outcome> Untold()
    {
        _untold.Take(Jobs);
        return [.. _untold.All];
    }
}
