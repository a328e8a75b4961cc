using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Looks for open runs that stand in one place of the engine, of which no index is by run: by asking the newest open runs, and then the place.</summary>
/// <remarks>Whatever else is open may lie before them by the hundred thousand; and to read a place of a million rows takes longer than a page may.</remarks>
internal sealed class PlaceLook(string place, NpgsqlConnection connection, NpgsqlTransaction transaction, RunFilter filter, TimeProvider clock)
    : AskingLook(connection, transaction, filter, clock)
{
    /// <summary>Null: the state says of itself where to look.</summary>
    public static string? Of(JobRunState? state) => state switch
    {
        JobRunState.Ready => "keelback.ready where true",
        JobRunState.Scheduled => "keelback.timer where what = 0",
        _ => null,
    };

    protected override TimeSpan AskPatience => TimeSpan.FromSeconds(1);

    protected override string Settings => "select set_config('enable_seqscan', 'on', true)";

    protected override NpgsqlBatchCommand Ask(long before) => Statement.Of(
        $"select run_id from {place} and run_id < $1 order by run_id desc limit $2", Statement.P(before), Statement.P(MostHits));
}
