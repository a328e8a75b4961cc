using Keelback.Jobs.Tests.Simulation;
using Keelback.Postgres;

namespace Keelback.Jobs.Tests;

/// <summary>Single decisions of a worker; the simulation plays them all together.</summary>
public sealed class PumpTests
{
    private static readonly WorkerIdentity s_worker = new(1, 1);

    private readonly SimClock _clock = new();
    private readonly Pump _pump;

    public PumpTests()
    {
        _pump = new(SimJobs.Options, new(SimJobs.Options, int.MaxValue, _clock), "test", SimJobs.Names, _clock);
        _pump.Lanes.Set([new(1, "default", false, null, false)]);
        Turn(s_worker);
    }

    [Fact]
    public void What_was_claimed_by_a_lost_answer_is_handed_back_when_the_lease_is_held_again_and_not_forgotten_without_one()
    {
        var lost = _pump.Begin();
        _pump.Failed(ExchangeFailure.Unknown, _pump.Request(lost, s_worker).Outcomes, _ => throw new InvalidOperationException());

        Assert.Null(Turn(worker: null).Known); // nobody to speak for
        Assert.Equal(s_worker, Turn(s_worker).Known?.Worker);
        Assert.Null(Turn(s_worker).Known);
    }

    [Fact]
    public void What_was_told_by_a_lost_answer_may_be_written_until_an_answer_says_so()
    {
        var job = _pump.Start(Claim(1));
        _pump.Jobs.End(job, new Outcome.Succeeded(job.Claim, default));
        var lost = _pump.Begin();
        var first = _pump.Request(lost, s_worker);
        _pump.Failed(ExchangeFailure.Unknown, first.Outcomes, _ => throw new InvalidOperationException());
        var refused = _pump.Request(_pump.Begin(), s_worker);
        _pump.Failed(ExchangeFailure.RolledBack, refused.Outcomes, _ => throw new InvalidOperationException());

        Assert.Empty(first.Doubted);
        Assert.Equal([first.Outcomes.Single()], refused.Doubted);
        Assert.Equal([first.Outcomes.Single()], Turn(s_worker).Doubted);
        Assert.Empty(_pump.Doubted);
    }

    [Fact]
    public void What_an_answer_brings_to_a_worker_that_was_stopped_at_once_is_stopped_as_it_starts()
    {
        var running = _pump.Start(Claim(1));

        _pump.Drain(atOnce: true);

        Assert.Equal(StopReason.Released, running.Reason);
        Assert.Equal(StopReason.Released, _pump.Start(Claim(2)).Reason);
    }

    [Fact]
    public void A_worker_that_stops_with_patience_claims_nothing_and_is_empty_when_the_last_outcome_is_told()
    {
        var job = _pump.Start(Claim(1));

        _pump.Drain(atOnce: false);
        Assert.Equal((StopReason.None, false), (job.Reason, _pump.IsDrained));
        Assert.Null(Turn(s_worker).Claim);
        _pump.Jobs.End(job, new Outcome.Succeeded(job.Claim, default));
        Assert.False(_pump.IsDrained);
        Turn(s_worker);

        Assert.True(_pump.IsDrained);
    }

    [Fact]
    public void A_worker_that_has_a_suspect_takes_no_other_until_its_outcome_is_told()
    {
        _pump.Start(Claim(1) with { Crashes = 1 });
        var before = Turn(s_worker).Claim!.TakesSuspect;
        var suspect = _pump.Start(Claim(2) with { Crashes = 2 });
        var beside = Turn(s_worker).Claim!.TakesSuspect;

        var turn = _pump.Begin();
        _pump.Jobs.End(suspect, new Outcome.Succeeded(suspect.Claim, default));
        var request = _pump.Request(turn, s_worker);
        _pump.Heard(turn, request, new());

        Assert.Equal((true, false, false, true), (before, beside, request.Claim!.TakesSuspect, Turn(s_worker).Claim!.TakesSuspect));
    }

    [Fact]
    public void What_waits_for_the_end_of_a_suspect_is_looked_for_at_once()
    {
        Turn(s_worker); // the full scan that is due
        var suspect = _pump.Start(Claim(2) with { Crashes = 2 });
        _pump.Jobs.End(suspect, new Outcome.Succeeded(suspect.Claim, default));
        var telling = _pump.Begin();
        var request = _pump.Request(telling, s_worker);
        _pump.Heard(telling, request, new());

        Assert.Equal((false, TimeSpan.Zero, true), (telling.IsFull, _pump.Rest(telling, request, new()), _pump.Begin().IsFull));
    }

    [Fact]
    public void A_wish_that_comes_while_a_turn_is_under_way_or_whose_turn_failed_is_the_next_turns()
    {
        _pump.LookAgain();
        var first = _pump.Begin();
        _pump.Failed(ExchangeFailure.RolledBack, [], _ => throw new InvalidOperationException());
        var second = _pump.Begin();
        _pump.LookAgain();
        _pump.Heard(second, _pump.Request(second, s_worker), new());
        var third = _pump.Begin();
        _pump.Heard(third, _pump.Request(third, s_worker), new());

        Assert.Equal((true, true, true, false), (first.IsFull, second.IsFull, third.IsFull, _pump.Begin().IsFull));
    }

    [Fact]
    public void A_refused_batch_is_told_one_by_one_and_only_the_one_that_is_refused_alone_fails()
    {
        End(1, 2);

        var both = Refused();
        var alone = Refused();
        var told = new List<string>();
        for (var i = 0; i < 2; i++) told.AddRange(Turn(s_worker).Outcomes.Select(o => $"{o.Claim.Token} {o.GetType().Name}"));

        Assert.Equal((2, 1, false), (both.Count, alone.Count, _pump.TellsOneByOne));
        Assert.Equal(["1 Failed", "2 Succeeded"], told);
    }

    [Fact]
    public void An_outcome_whose_run_is_locked_is_set_apart_and_in_nobodys_way()
    {
        End(1, 2);
        HeldUp();
        var alone = HeldUp();
        var other = Turn(s_worker);
        End(3);
        var beside = Turn(s_worker);
        _clock.Move(TimeSpan.FromSeconds(1));
        End(4);
        var again = HeldUp();
        var next = Turn(s_worker);
        _clock.Move(TimeSpan.FromSeconds(1));
        var last = Turn(s_worker);

        Assert.Equal(["1", "2", "3", "1", "4", "1"], new[] { alone, other, beside, again, next, last }.Select(r => string.Join(' ', r.Outcomes.Select(o => o.Claim.Token))));
        Assert.Equal([false, false, true, false, true, false], new[] { alone, other, beside, again, next, last }.Select(r => r.Claim is not null));
        Assert.True(_pump.Begin() is { IsFull: true, IsAlone: false }); // it is not taken for the full look of its second
        Assert.True(_pump.HoldsAny is false && alone.LockTimeout < beside.LockTimeout);
    }

    [Fact]
    public void What_a_lock_held_up_is_told_one_after_the_other_when_it_is_gone_and_before_a_stop_is_over()
    {
        End(1, 2, 3);
        HeldUp();
        for (var i = 0; i < 3; i++) HeldUp();
        _pump.Drain(atOnce: false);

        Assert.False(_pump.IsDrained);
        Assert.Equal([1, 2, 3], _pump.Untold().Select(o => o.Claim.Token));
        Assert.Empty(Turn(s_worker).Outcomes);
        _clock.Move(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(_ => Turn(s_worker).Outcomes.Single().Claim.Token));
        Assert.True(_pump.IsDrained);
    }

    [Fact]
    public void A_worker_that_is_full_of_jobs_that_do_not_end_asks_for_one_more_until_it_runs_the_most()
    {
        var asked = new List<int?>();
        for (var token = 1; token <= SimJobs.Options.Concurrency; token++)
        {
            _pump.Start(Claim(token));
            _clock.Move(TimeSpan.FromMinutes(1)); // of nothing new, by which it has shrunk to what runs
            Turn(s_worker);
            asked.Add(Turn(s_worker).Claim?.Limit);
        }

        Assert.Equal([1, 1, null], asked);
    }

    private void End(params int[] tokens)
    {
        foreach (var token in tokens)
        {
            var job = _pump.Start(Claim(token));
            _pump.Jobs.End(job, new Outcome.Succeeded(job.Claim, default));
        }
    }

    private ExchangeRequest HeldUp()
    {
        var request = _pump.Request(_pump.Begin(), s_worker);
        _pump.Failed(ExchangeFailure.HeldUp, request.Outcomes, _ => throw new InvalidOperationException());
        return request;
    }

    private IReadOnlyList<Outcome> Refused()
    {
        var outcomes = _pump.Request(_pump.Begin(), s_worker).Outcomes;
        _pump.Failed(ExchangeFailure.Refused, outcomes, claim => new Outcome.Failed(claim, SimJobs.Late, JobAttemptOutcome.Failed, null));
        return outcomes;
    }

    private ExchangeRequest Turn(WorkerIdentity? worker)
    {
        var turn = _pump.Begin();
        var request = _pump.Request(turn, worker);
        _pump.Heard(turn, request, new());
        return request;
    }

    private static Claim Claim(long token) => new(token, token, 1, 0, "work", []) { MaxAttempts = 1 };
}
