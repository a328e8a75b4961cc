namespace Keelback.Chaos.Tests;

/// <summary>The judge condemns what is wrong, and nothing else: each ledger here has one thing that must not be.</summary>
public sealed class JudgeTests
{
    private const int Succeeded = 1, Failed = 2, Cancelled = 3, UpstreamFailed = 4, Quarantined = 5;

    private readonly Facts _facts = new();

    [Fact]
    public void A_run_that_did_what_it_should_breaks_nothing()
    {
        Called(1, Shape.Tx, "A 20 1 101");
        Ran(101, "tx", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 7 tx", "E 40 101 1 7 ok");
        _facts.TxEffects[101] = 1;

        Assert.Empty(Broken());
    }

    [Fact]
    public void An_acknowledged_call_without_its_run_is_lost()
    {
        Called(1, Shape.Plain, "A 20 1 101");

        Assert.Contains("I1", Broken());
    }

    [Fact]
    public void A_run_that_is_still_open_is_lost()
    {
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, state: 0);

        Assert.Contains("I1", Broken());
    }

    [Fact]
    public void A_run_of_a_refused_call_is_a_phantom()
    {
        Called(1, Shape.Plain, "R 20 1 KB1206");
        Ran(101, "plain", 1, Succeeded);

        Assert.Contains("I2", Broken());
    }

    [Fact]
    public void Half_a_graph_is_neither_all_nor_nothing()
    {
        Called(1, Shape.Chord, n: 2);
        Ran(101, "member", 1, Succeeded);

        Assert.Contains("I2", Broken());
    }

    [Theory]
    [InlineData(0, Succeeded)]
    [InlineData(2, Succeeded)]
    [InlineData(1, Failed)]
    public void An_effect_that_is_missing_doubled_or_of_a_failed_run_is_found(int effects, int state)
    {
        Called(1, Shape.Tx, "A 20 1 101");
        Ran(101, "tx", 1, state);
        Worked("w0.1", "S 30 101 1 7 tx", "E 40 101 1 7 ok");
        if (effects > 0) _facts.TxEffects[101] = effects;

        Assert.Contains("I3", Broken());
    }

    [Fact]
    public void A_call_that_got_the_run_of_another_with_its_key_is_not_lost_and_one_that_got_no_run_is()
    {
        Called(3, Shape.Solo, "A 20 3 101");
        Called(6, Shape.Solo, "A 21 6 101");
        Ran(101, "solo", 3, Succeeded);
        Worked("w0.1", "S 30 101 1 7 solo", "E 40 101 1 7 ok");
        Assert.Empty(Broken());

        Called(9, Shape.Solo, "A 22 9 102");
        Assert.Contains("I1", Broken());
    }

    [Theory]
    [InlineData(3, "of the calls with one unique key")]
    [InlineData(4, "")]
    public void Two_runs_with_one_unique_key_at_once_are_found(long other, string broken)
    {
        Called(6, Shape.Solo, "A 20 6 101");
        Called(other, Shape.Solo, $"A 20 {other} 102");
        Ran(101, "solo", 6, Succeeded);
        Ran(102, "solo", other, Succeeded);
        Worked("w0.1", "S 30 101 1 7 solo", "S 35 102 1 8 solo", "E 40 101 1 7 ok", "E 41 102 1 8 ok");

        Assert.Equal(broken.Length > 0, BrokenWords().Any());
        Assert.All(BrokenWords(), words => Assert.StartsWith(broken, words));
    }

    [Theory]
    [InlineData(6, "D", true)]
    [InlineData(5, "D", false)]
    [InlineData(6, "x", false)]
    public void A_run_is_quarantined_rightly_if_each_attempt_met_a_death(int crashes, string died, bool rightly)
    {
        Called(1, Shape.Slow, "A 20 1 101");
        _facts.Runs[101] = new(101, "plain", Quarantined, 1, 6, crashes, HasInput: true);
        for (var i = 1; i <= 6; i++)
        {
            Worked($"w{i}.1", $"S {i}00 101 {i} {i} plain");
            _facts.AddFaults([$"{died} {i}50 w{i}.1 kill"]);
        }

        Assert.Equal(rightly, !Broken().Contains("I1"));
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(0, false)]
    public void A_body_fails_rightly_if_a_member_was_quarantined(int deaths, bool rightly)
    {
        Called(1, Shape.Chord, n: 1, "A 20 1 102");
        Ran(102, "body", 1, UpstreamFailed);
        Ran(101, "member", 1, Succeeded);
        if (deaths == 0) Worked("w0.1", "S 30 101 1 7 member", "E 40 101 1 7 ok");
        else _facts.Runs[101] = new(101, "member", Quarantined, 1, deaths, deaths, HasInput: true);
        for (var i = 1; i <= deaths; i++)
        {
            Worked($"w{i}.1", $"S {i}00 101 {i} {i} member");
            _facts.AddFaults([$"D {i}50 w{i}.1 kill"]);
        }

        Assert.Equal(rightly, !Broken().Contains("I1"));
    }

    [Fact]
    public void An_attempt_that_begins_after_a_later_one_is_found_unless_its_worker_was_frozen()
    {
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w1.1", "S 50 101 2 8 plain", "E 60 101 2 8 ok");
        Worked("w0.1", "S 70 101 1 7 plain", "E 71 101 1 7 gone");
        Assert.Contains("attempts and tokens of a run rise", BrokenWords());

        _facts.AddFaults(["b 30 3 zombie w0.1", "e 69 3 zombie w0.1"]);
        Assert.Empty(BrokenWords());
    }

    [Fact]
    public void A_second_with_more_starts_than_its_rate_is_found()
    {
        var begin = DateTimeOffset.UnixEpoch;
        _facts.PacedStarts.AddRange([begin, begin.AddMilliseconds(400), begin.AddMilliseconds(1000), begin.AddMilliseconds(1400)]);
        Assert.Empty(Broken());

        _facts.PacedStarts.Add(begin.AddMilliseconds(900));
        Assert.Equal(["I9"], Broken());
    }

    [Theory]
    [InlineData(0, 900, true)]
    [InlineData(0, 60000, false)]
    [InlineData(134, 900, false)]
    public void A_worker_that_is_told_to_stop_ends_with_0_and_in_time(int exitCode, int ms, bool well)
    {
        Worked("w0.1", "R 25");
        _facts.AddFaults([$"T 40 w0.1 {exitCode} {ms}"]);

        Assert.Equal(well, !Broken().Contains("F27"));
    }

    [Fact]
    public void A_worker_that_was_dead_when_it_was_told_to_stop_has_not_stopped_badly()
    {
        Worked("w0.1", "R 25");
        _facts.AddFaults(["D 30 w0.1 kill", "T 40 w0.1 137 0"]);

        Assert.DoesNotContain("F27", Broken());
    }

    [Fact]
    public void Two_attempts_at_once_without_a_fault_are_found_and_with_one_are_not()
    {
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 7 plain", "E 90 101 1 7 ok");
        Worked("w1.1", "S 50 101 2 8 plain", "E 60 101 2 8 ok");
        Assert.Contains("I4", Broken());

        _facts.AddFaults(["b 25 3 zombie w0.1", "e 80 3 zombie w0.1"]);
        Assert.DoesNotContain("no two attempts", string.Join(' ', BrokenWords()));
    }

    [Fact]
    public void An_attempt_with_an_older_token_than_the_one_before_is_found()
    {
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 8 plain", "E 35 101 1 8 gone", "S 50 101 2 7 plain", "E 60 101 2 7 ok");

        Assert.Contains("attempts and tokens", string.Join(' ', BrokenWords()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_body_that_ran_never_or_twice_is_found(int times)
    {
        Chord(bodyAt: 50);
        for (var i = 0; i < times; i++) _facts.ChordResults.Add((102, 1, Call1.Results));

        Assert.Contains("I6", Broken());
    }

    [Fact]
    public void A_body_that_got_other_results_than_its_members_is_found()
    {
        Chord(bodyAt: 50);
        _facts.ChordResults.Add((102, 1, [4711]));

        Assert.Contains("I6", Broken());
    }

    [Fact]
    public void A_body_that_began_before_its_member_ended_is_found()
    {
        Chord(bodyAt: 35);
        _facts.ChordResults.Add((102, 1, Call1.Results));

        Assert.Contains("begins after", string.Join(' ', BrokenWords()));
    }

    [Fact]
    public void What_a_dead_worker_held_and_came_back_late_is_found()
    {
        var second = System.Diagnostics.Stopwatch.Frequency;
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 7 plain");
        _facts.AddFaults([$"D {second} w0.1 kill"]);
        Worked("w1.1", $"S {40 * second} 101 2 8 plain", $"E {41 * second} 101 2 8 ok");
        Assert.Contains("I8", Broken());

        _facts.AddFaults([$"b {2 * second} 5 crash server", $"e {39 * second} 5 crash server"]);
        Assert.DoesNotContain("I8", Broken());
    }

    [Theory]
    [InlineData(3, 41, false)] // the second attempt died between its claim and the job's first line
    [InlineData(3, 42, true)]
    public void Each_death_that_left_no_line_has_a_recovery_of_its_own(int number, int second, bool isBroken)
    {
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 7 plain");
        _facts.AddFaults([$"D {System.Diagnostics.Stopwatch.Frequency} w0.1 kill"]);
        Worked("w1.1", $"S {second * System.Diagnostics.Stopwatch.Frequency} 101 {number} 8 plain", $"E {60 * System.Diagnostics.Stopwatch.Frequency} 101 {number} 8 ok");

        Assert.Equal(isBroken, Broken().Contains("I8"));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(22, true)]
    public void A_late_first_line_of_an_earlier_attempt_is_no_recovery(int second, bool isBroken)
    {
        var frequency = System.Diagnostics.Stopwatch.Frequency;
        Called(1, Shape.Plain, "A 20 1 101");
        Ran(101, "plain", 1, Succeeded);
        Worked("w0.1", "S 30 101 2 8 plain");
        _facts.AddFaults([$"D {frequency} w0.1 kill"]);
        Worked("w1.1", $"S {5 * frequency} 101 1 7 plain", $"E {6 * frequency} 101 1 7 gone"); // frozen since its claim
        Worked("w2.1", $"S {second * frequency} 101 3 9 plain", $"E {60 * frequency} 101 3 9 ok");

        Assert.Equal(isBroken, Broken().Contains("I8"));
    }

    [Fact]
    public void Two_winners_of_a_race_are_found()
    {
        Called(1, Shape.Cancelled, "A 20 1 101", "C 30 1 101 True", "C 31 1 101 True");
        Ran(101, "plain", 1, Cancelled);

        Assert.Contains("F32", Broken());
    }

    private static Call Call1 => new(1, Shape.Chord, 1, 0, 0, HasId: true);

    private void Chord(long bodyAt)
    {
        Called(1, Shape.Chord, 1, "A 20 1 102");
        Ran(101, "member", 1, Succeeded);
        Ran(102, "body", 1, Succeeded);
        Worked("w0.1", "S 30 101 1 7 member", "E 40 101 1 7 ok", $"S {bodyAt} 102 1 8 body", $"E {bodyAt + 10} 102 1 8 ok");
    }

    private void Called(long key, Shape shape, params string[] answers) => Called(key, shape, 0, answers);

    private void Called(long key, Shape shape, int n, params string[] answers)
    {
        Call call = new(key, shape, n, 0, 0, HasId: true);
        _facts.Add("p0", [$"B 10 {string.Join(' ', call.Words)}", .. answers]);
    }

    private void Ran(long id, string kind, long call, int state) =>
        _facts.Runs[id] = new(id, kind, state, call, Attempt: state == Succeeded ? 1 : 0, Failures: 0, HasInput: true);

    private void Worked(string node, params string[] lines) => _facts.Add(node, lines);

    private IReadOnlyList<Verdict> Verdicts() => [.. new Judge(_facts, new()).All([]).Where(v => !v.Holds)];

    private IEnumerable<string> Broken() => Verdicts().Select(v => v.Invariant);

    private IEnumerable<string> BrokenWords() => Verdicts().Select(v => v.What);
}
