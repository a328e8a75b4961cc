namespace Keelback.Jobs.Tests.Simulation;

/// <content>What an end does to those that wait for it, and how ends are made and undone by hand.</content>
internal sealed partial class SimStore
{
    /// <summary>The edges of these runs that have not done their work have done it now.</summary>
    private List<SimEdge> Flip(IReadOnlyList<SimRun> ended, Transition how)
    {
        var edges = ended.SelectMany(run => run.Below).Where(edge => !edge.Done || bugs.HasFlag(Bugs.CountWithoutFlip)).ToList();
        foreach (var edge in edges)
        {
            edge.Done = true;
            Hit(how);
        }

        return edges;
    }

    private void CountDown(SimRun run, int by)
    {
        var row = Waiting.Find(row => row.Run == run);
        if (row is null) return;

        if (row.Pending > by)
        {
            row.Pending -= by;
            Hit(Transition.WaitCountedDown);
            return;
        }

        Waiting.Remove(row);
        if (run.DueAt > clock.Now)
        {
            Timers.Add(new(run.DueAt.Value, run, TimerWhat.Ready, row.Attempt, 0));
            Hit(Transition.WaitTimer);
        }
        else
        {
            Ready.Add(new(run, ++_seq, row.Attempt, 0));
            Hit(Transition.WaitReady);
        }
    }

    /// <summary>Follows the edges of runs that have ended, level by level. Answers what it ended.</summary>
    private List<SimRun> Settle(IReadOnlyList<SimRun> ended)
    {
        var every = new List<SimRun>();
        for (var level = ended; level.Count > 0;)
        {
            var over = new List<SimRun>();
            foreach (var down in Flip([.. level.Distinct()], Transition.EdgeFlippedBySettle).GroupBy(edge => edge.Down).OrderBy(downs => downs.Key.Id))
            {
                var shut = down.Where(edge => !edge.Up.Opens(edge.Rule)).ToList();
                if (shut.Count == 0)
                {
                    CountDown(down.Key, down.Count());
                    continue;
                }

                Hit(Transition.EdgeShut);
                if (Waiting.RemoveAll(row => row.Run == down.Key) == 0 || !down.Key.IsOpen) continue;
                var isBroken = shut.Exists(edge => edge.Rule == JobEdgeRule.Success && edge.Up.State != JobRunState.Skipped);
                End(down.Key, isBroken ? JobRunState.UpstreamFailed : JobRunState.Skipped, null);
                Hit(isBroken ? Transition.WaitUpstreamFailed : Transition.WaitSkipped);
                over.Add(down.Key);
            }

            every.AddRange(over);
            level = over;
        }

        return every;
    }

    /// <summary>Ends an open run wherever it stands.</summary>
    public bool Cancel(SimRun run)
    {
        if (!run.IsOpen) return false;

        Hit(Claims.RemoveAll(c => c.Run == run) > 0 ? Transition.ClaimedCancelled
            : Waiting.RemoveAll(w => w.Run == run) > 0 ? Transition.WaitCancelled
            : Parked.RemoveAll(p => p.Run == run) > 0 ? Transition.ParkedCancelled
            : Ready.Exists(r => r.Run == run) ? Transition.ReadyCancelled
            : Transition.TimerCancelled);
        End(run, JobRunState.Cancelled, null);
        if (!bugs.HasFlag(Bugs.CancelTellsNobody)) Settle([run]);
        return true;
    }

    /// <summary>Opens an ended run again, or all of its graph that did not succeed, and what ended below without having run.</summary>
    public bool Redrive(SimRun run, bool whole)
    {
        var chosen = new List<SimRun>();
        var first = whole
            ? Runs.Where(r => (r == run || r.Root is not null && r.Root == run.Root) && (r.State != JobRunState.Skipped || r.Attempt is null))
            : [run];
        for (var more = first.Where(r => !r.IsOpen && r.State != JobRunState.Succeeded).ToList(); more.Count > 0;)
        {
            chosen.AddRange(more);
            more = [.. more.SelectMany(up => up.Below).Select(edge => edge.Down).Where(EndedFromAbove).Distinct().Except(chosen)];
        }

        // What never ran stays ended while an edge to it is shut by a run that is not opened.
        while (chosen.Find(d => d.Attempt is null && d.BaseAttempt == 0 && d.Above.Exists(edge => !chosen.Contains(edge.Up) && !edge.Up.IsOpen && !edge.Up.Opens(edge.Rule))) is { } shut)
            chosen.Remove(shut);

        foreach (var edge in chosen.SelectMany(down => down.Above))
        {
            if (!chosen.Contains(edge.Up) && !edge.Up.IsOpen) continue;
            edge.Done = false;
            if (edge.Up.IsOpen) edge.Up.Settles = true;
        }

        if (!bugs.HasFlag(Bugs.RedriveForgetsBelow)) WaitAgain(chosen);

        if (!bugs.HasFlag(Bugs.RedriveLeavesRows) && chosen.Exists(r => r.State is JobRunState.Cancelled or JobRunState.Expired))
        {
            Ready.RemoveAll(row => chosen.Contains(row.Run));
            Parked.RemoveAll(row => chosen.Contains(row.Run));
            Timers.RemoveAll(row => chosen.Contains(row.Run));
        }

        foreach (var opened in chosen) Reopen(opened, isBelow: opened != run);
        return chosen.Count > 0;
    }

    // What follows the ends of these, might start, and has not.
    private void WaitAgain(List<SimRun> chosen)
    {
        var edges = chosen.SelectMany(up => up.Below).Where(edge => edge.Done && edge.Rule is JobEdgeRule.End or JobEdgeRule.Failure);
        foreach (var down in edges.GroupBy(edge => edge.Down).Where(down => IsUnstarted(down.Key)).ToList())
        {
            var run = down.Key;
            Timers.RemoveAll(row => row.Run == run && row.What == TimerWhat.Ready);
            Parked.RemoveAll(row => row.Run == run);
            Ready.RemoveAll(row => row.Run == run);
            if (!Waiting.Exists(row => row.Run == run)) Waiting.Add(new(run, run.BaseAttempt));
            Waiting.Find(row => row.Run == run)!.Pending += down.Count();
            foreach (var edge in down) edge.Done = false;
            Hit(Transition.UnstartedWaitsAgain);
        }
    }

    private bool IsUnstarted(SimRun run) =>
        run.IsOpen && !run.WasStarted && run.LastFailure <= run.BaseAttempt && !Claims.Exists(claim => claim.Run == run);

    private void Reopen(SimRun run, bool isBelow)
    {
        var spent = Math.Max(Math.Max(run.Attempt ?? 0, run.BaseAttempt), run.LastFailure);
        run.MaxAttempts = spent + run.MaxAttempts - run.BaseAttempt;
        run.BaseAttempt = spent;
        (run.State, run.Attempt, run.Output, run.DueAt, run.ExpiresAt, run.WasStarted) = (JobRunState.Ready, null, null, null, null, false);
        Ledger?.Opened(run);

        var pending = run.Above.Count(edge => !edge.Done);
        if (pending > 0) Waiting.Add(new(run, spent) { Pending = pending });
        else Ready.Add(new(run, ++_seq, spent, 0));
        Hit(isBelow ? Transition.RedrivenBelow : pending > 0 ? Transition.RedrivenWait : Transition.RedrivenReady);
    }

    private static bool EndedFromAbove(SimRun run) =>
        run.State is JobRunState.UpstreamFailed or JobRunState.Skipped && run.Attempt is null && run.BaseAttempt == 0;
}
