namespace Keelback.Chaos.Tests;

public sealed class PlanTests
{
    [Fact]
    public void A_seed_is_one_plan_and_another_seed_another()
    {
        Assert.Equal(Plan.Of(new() { Seed = 5 }), Plan.Of(new() { Seed = 5 }));
        Assert.NotEqual(Plan.Of(new() { Seed = 5 }), Plan.Of(new() { Seed = 6 }));
    }

    [Fact]
    public void A_full_plan_has_what_a_release_has_to_stand()
    {
        var plan = Plan.Of(new() { Seed = 5, Full = true, Time = TimeSpan.FromMinutes(25) });

        int Count(string fault) => plan.Count(item => item.Fault == fault);
        Assert.True(Count("kill") + Count("failpoint") >= 200);
        Assert.All(["crash", "zombie", "blackhole"], fault => Assert.True(Count(fault) >= 20));
    }

    [Fact]
    public void Faults_that_are_named_are_made_as_often_as_in_the_whole_plan()
    {
        var whole = Plan.Of(new() { Seed = 5 });
        var some = Plan.Of(new() { Seed = 5, Only = ["F3", "crash"] });

        Assert.Equal(
            whole.Where(item => item.Fault is "zombie" or "crash").Select(item => (item.At, item.Fault, item.Pick)),
            some.Select(item => (item.At, item.Fault, item.Pick)));
    }

    [Fact]
    public void The_same_call_is_made_again_from_its_number_and_read_from_its_line()
    {
        for (var n = 0; n < 200; n++)
        {
            var call = Call.Of(seed: 3, producer: 1, n);
            Assert.Equal(call, Call.Of(seed: 3, producer: 1, n));
            Assert.Equal(call, Call.Parse([.. call.Words.Select(word => word.ToString()!)]));
        }

        Assert.True(Enumerable.Range(0, 1000).Select(n => Call.Of(3, 0, n).Shape).Distinct().Count() >= 16);
    }
}
