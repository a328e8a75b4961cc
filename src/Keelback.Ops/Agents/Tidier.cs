using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Ops;

/// <summary>
/// Deletes, every 10 minutes and in pages, what the pages no longer need: copies of runs that are gone, and this app's own old figures,
/// bulks and audit rows. Other apps on the database keep theirs for as long as their own options say.
/// </summary>
internal sealed class Tidier(
    NpgsqlDataSource db, QueueCatalog catalog, IOptions<OpsOptions> configured, IOptions<JobsOptions> jobs, TimeProvider clock, ILogger<Tidier> log)
    : PollingService(clock, log)
{
    private const int PageSize = 5000;
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_minutes = TimeSpan.FromDays(2);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await TidyAsync(stopping);
        return s_interval;
    }

    internal async Task<int> TidyAsync(CancellationToken ct)
    {
        var deleted = 0;
        int page;
        do deleted += page = await CopiesAsync(ct);
        while (page == PageSize);

        await using var command = db.CreateCommand(
            """
            with own as (
                select id from keelback.queue where app = $4
            ), minutes as (
                delete from keelback.rollup where step = 0 and at < keelback.clock() - $1 and queue in (select id from own) returning 1
            ), hours as (
                delete from keelback.rollup where step = 1 and at < keelback.clock() - $2 and queue in (select id from own) returning 1
            ), audit as (
                delete from keelback.audit where id in (
                    select id from keelback.audit where app = $4 and at < keelback.clock() - $3 order by id limit 50000) returning 1
            ), bulk as (
                delete from keelback.bulk where app = $4 and ended_at < keelback.clock() - $3 returning 1
            )
            select (select count(*) from minutes) + (select count(*) from hours) + (select count(*) from audit) + (select count(*) from bulk)
            """);
        command.Parameters.AddWithValue(s_minutes);
        command.Parameters.AddWithValue(configured.Value.KeepFigures);
        command.Parameters.AddWithValue(configured.Value.KeepAudit);
        command.Parameters.AddWithValue(catalog.App);
        return deleted + (int)(long)(await command.ExecuteScalarAsync(ct))!;
    }

    // Old ones only: a run that is young is there.
    private async Task<int> CopiesAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            with gone as (
                delete from keelback.run_search where id = any(array(
                    select s.id from keelback.run_search s
                    where s.id < keelback.first_run_id(keelback.clock() - $1)
                      and not exists (select from keelback.run r where r.id = s.id)
                    order by s.id limit $2))
                returning id
            ), words as (
                delete from keelback.run_words where id in (select id from gone)
            )
            select count(*)::int from gone
            """);
        command.Parameters.AddWithValue(jobs.Value.Retention);
        command.Parameters.AddWithValue(PageSize);
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }
}
