using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What came of a call that somebody made by hand.</summary>
internal static class EnqueueOutcome
{
    public static async Task<ActionResult> OfAsync(PlannedRun call, JobClient jobs)
    {
        if (call.Twin is { } twin) return new(false, $"run {Show.Id(twin)} was enqueued already, by the same call") { Run = twin };
        if (call.Answer is { } holder)
            return new(false, $"Nothing was enqueued: run {Show.Id(holder)} has the unique key '{call.UniqueKey}'. Wait for that run, or cancel it.");

        var (run, replaced) = (Show.Id(call.Id), call.KeyWasOf is { } before && await IsReplacedAsync(before, call.Id, jobs) ? Show.Id(before) : null);
        return (replaced is null
            ? new ActionResult(true, $"enqueued run {run}", $$"""{"run": "{{run}}"}""")
            : new(true, $"enqueued run {run} in the place of run {replaced}, which had its unique key and was cancelled", $$"""{"run": "{{run}}", "replaced": "{{replaced}}"}""")) with
        { Run = call.Id };
    }

    // It may have ended by itself, or another may have replaced it first.
    private static async Task<bool> IsReplacedAsync(long before, long by, JobClient jobs)
    {
        try
        {
            return await jobs.GetAsync(before) is { State: JobRunState.Cancelled, Error: { Type: "Replaced" } why } && why.Message == $"Run {Show.Id(by)} has its unique key now.";
        }
        catch (NpgsqlException)
        {
            return false; // the new run is there all the same, and that is what must be told
        }
    }
}
