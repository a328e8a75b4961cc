using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keelback.Jobs.Tests;

/// <summary>A rolling deployment: the new node moves the schema while the old one works.</summary>
public sealed class OlderNodeTests : JobsTest
{
    [Fact]
    public async Task A_node_that_runs_claims_and_completes_on_a_newer_schema_and_one_that_starts_there_is_told_to()
    {
        var gate = new Gate();
        var add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("n") + 1));
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var old = await JobHost.Create(Database, [add, slow]).StartAsync();
        await old.EndOf(await old.Jobs.EnqueueAsync(add.Call(new { n = 1 }))); // its statements are prepared
        var held = await old.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        await MoveOnAsync(old.Services.GetServices<SystemModule>());
        gate.Open();
        var chain = add.Call<int>(new { }, new JobBinding("n", add.Call<int>(new { n = 40 })));
        var ended = (await old.EndOf(held), await old.EndOf(await old.Jobs.EnqueueAsync(chain)));
        await using var late = JobHost.Create(Database, [add]);
        var refused = await Assert.ThrowsAsync<KeelbackException>(late.StartAsync);

        Assert.Equal((JobRunState.Succeeded, 42), (ended.Item1.State, ended.Item2.Result<int>()));
        Assert.Equal(1, await old.ScalarAsync<long>("select count(*) from keelback.novelty")); // the newer schema saw it
        Assert.Equal("KB1003", refused.Code);
    }

    // What a release may do to tables that the last one writes: columns with a default, tables, indexes, triggers.
    private async Task MoveOnAsync(IEnumerable<SystemModule> modules)
    {
        var newer = modules.Select(module => module.Name != "jobs" ? module : module with
        {
            Migrations =
            [
                .. module.Migrations,
                new(module.Migrations.Count + 1, "novelty",
                    """
                    alter table keelback.run add column landlord text not null default '';
                    alter table keelback.claim add column landlord text;
                    alter table keelback.ready add column landlord text;
                    create table keelback.novelty (run_id bigint);
                    create function keelback.note_end() returns trigger language plpgsql as
                        $$ begin insert into keelback.novelty values (new.id); return new; end $$;
                    create trigger note_end after update on keelback.run for each row when (new.kind = 'slow' and new.state = 1)
                        execute function keelback.note_end();
                    """),
            ],
        });

        await new SystemSchema(Database.DataSource, newer, NullLogger<SystemSchema>.Instance).MigrateAsync(default);
    }
}
