using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>Every error this package raises. Codes KB1700-KB1749.</summary>
internal static class OpsErrors
{
    public const string NoSuchPolicyCode = "KB1701";

    // What says so in each of the places where the mistake may be told.
    private const string Nothing = "'none' on the command line, null in JSON, an empty field on a page";

    public static string NoPolicy(string key, string policy) => $"Keelback:Ops:{key} names '{policy}', and there is no such authorization policy.";

    public static KeelbackException NoSuchPolicy(string key, string policy) => new(NoSuchPolicyCode, NoPolicy(key, policy));

    public static KeelbackException NotAdded() => new("KB1702",
        "MapJobsPages was called, but Keelback.Ops is not among the services. Call AddKeelback(), or AddOps() on a KeelbackBuilder.");

    public static KeelbackException NoSuchQueue(string queue, IEnumerable<string> known) => new("KB1703",
        $"There is no queue '{Short(queue)}' in this app." + DidYouMean(queue, known) + Known(known, "It has"));

    /// <param name="kind">What was asked for.</param>
    /// <param name="known">The kinds that there are.</param>
    /// <param name="revokes">Whether it was to be revoked, which a kind may be before its deploy.</param>
    public static KeelbackException NoSuchKind(string kind, IEnumerable<string> known, bool revokes = false) => new("KB1704",
        UnknownKind(kind, known) + (revokes ? " To revoke one before its deploy, say so: --unknown, or \"unknown\": true." : ""));

    public static KeelbackException NoSuchState(string state) => new("KB1705", BadState(state));

    public static KeelbackException NotForThisState(string action, long run, string state) => new("KB1706",
        $"Run {Id(run)} is {state}: it cannot be {action}.");

    public static KeelbackException BadPayload(string mistake) => new("KB1707",
        $"The arguments are not a JSON object: {mistake} Correct them, and send them again; nothing was enqueued.");

    public static KeelbackException BadTimeGiven(string text) => new("KB1708", BadTime(text));

    public static KeelbackException NoRunId(string text) => new("KB1709", $"'{Short(text)}' is no run's id: it has digits alone, 19 at most. 'jobs list' shows them.");

    public static KeelbackException TargetMissing(string verb, string what) => new("KB1710", $"Something is missing. Write: jobs {verb} {what}.");

    public static KeelbackException NoSuchBulk(string action, IEnumerable<string> known) => new("KB1711",
        $"'{Short(action)}' is nothing that can be done to all runs of a search." + DidYouMean(action, known) + Known(known, "There are"));

    public static KeelbackException NoBulk(long id) => new("KB1721", $"There is no bulk {Show.Id(id)}. The audit names those that there were.");

    public static KeelbackException NoBulkId(string text) => new("KB1722", $"'{Short(text)}' is no bulk's number: it has digits alone, 19 at most. 'jobs audit' shows them.");

    public static KeelbackException BulkOverEverything() => new("KB1712",
        "The search names nothing, so the action would be done to every run there is. Narrow it by kind, queue, state, tag, words or time.");

    public static KeelbackException BadSlots(string text) => new("KB1713", $"'{Short(text)}' is no number of slots. Give 1 or more; for no limit, {Nothing}.");

    public static KeelbackException NoSuchWorker(string worker, IEnumerable<JobWorker> live)
    {
        var known = live.Select(w => $"worker {Id(w.Id)} ({w.Name})").ToList();
        return new("KB1714", $"No worker '{Short(worker)}' is alive." + (known.Count == 0 ? " None is: start one." : Known(known, "Alive:") + " 'all' asks every one."));
    }

    public static KeelbackException NoSuchSchedule(string name, IReadOnlyCollection<string> known) => new("KB1715",
        $"There is no schedule '{Short(name)}' in this app."
        + (known.Count == 0 ? " It has none: add one in code with AddSchedule or [Schedule], or at run time with JobSchedules." : DidYouMean(name, known) + Known(known, "It has")));

    public static KeelbackException BadWhen(string text) => new("KB1716",
        $"'{Short(text)}' does not say when to tick. Write a cron expression such as 30 2 * * MON-FRI, or a rate such as 'every 5m' or 'every 00:05:00'.");

    public static KeelbackException BadConcurrency(string text) => new("KB1717",
        $"A worker cannot run '{Short(text)}' jobs at once. Give 1 to 1,000; for as many as it is configured for, {Nothing}.");

    public static KeelbackException BadRevocation(string what, string value) => new("KB1718",
        string.IsNullOrWhiteSpace(value) ? $"No {Short(what)} is named. Name the one to revoke." : $"'{Short(what)}' cannot be revoked." + DidYouMean(what, RevocationActions.What) + " A kind or a tag can; a single run is cancelled.");

    public static KeelbackException NotRevoked(string what, string value, IReadOnlyCollection<string> known) => new("KB1719",
        $"The {what} '{Short(value)}' is not revoked." + DidYouMean(value, known) + (known.Count == 0 ? $" No {what} is." : Known(known, "These are:")));

    public static KeelbackException BadDuration(string text) => new("KB1720", $"'{Short(text)}' is no length of time. Write it as 90s, 15m, 2h, 7d or 01:30:00.");

    public static KeelbackException NoWord(string text) => new("KB1723",
        $"'{Short(text)}' holds no letter or digit, so there is no word to search for. Give words of the arguments or the error, or leave the text out.");

    public static KeelbackException TooManyWords(string text, int count, int most) => new("KB1724",
        $"'{Short(text)}' has {count} words, and a search takes {most}. Leave out those that other runs hold too.");

    /// <param name="run">Whose arguments.</param>
    /// <param name="bytes">How many; null: more than the database puts together.</param>
    /// <param name="most">How many there may be here.</param>
    /// <param name="mostOfRun">How many a new run may have.</param>
    public static KeelbackException ArgumentsTooLarge(long run, int? bytes, int most, int mostOfRun) => new("KB1725",
        $"The arguments of run {Id(run)}, with the results of other runs that are among them, take {(bytes is { } n ? Exact(n) : "over 67,108,864")} bytes of JSON; "
        + (most < mostOfRun
            ? $"a form holds {Exact(most)}. Enqueue them as they are with 'jobs copy {Id(run)}', or others with its --arguments."
            : $"a new run may have {Exact(most)}. Enqueue fewer with 'jobs copy {Id(run)} --arguments', or raise Keelback:Jobs:{nameof(JobsOptions.MaxPayload)}."));

    public static KeelbackException ResultNotThere(long run, string parameter, long up, bool isGone) => new("KB1726",
        $"The argument '{Short(parameter)}' of run {Id(run)} is the result of run {Id(up)}, which {(isGone ? "is gone" : "has none")}, so the arguments cannot be put together. "
        + $"Give all of them yourself with 'jobs copy {Id(run)} --arguments', or retry what did not succeed.");

    public static KeelbackException RevokedTooLong(TimeSpan lasting) => new("KB1727",
        $"Nothing can be revoked for as long as {lasting:c}: 100 years (36525d) are the most. Give less, or no time at all to revoke it for good.");

    /// <param name="name">What was asked for.</param>
    /// <param name="known">The limits that there are.</param>
    /// <param name="sets">Whether it was to be given numbers, which a limit may be before a run uses it.</param>
    public static KeelbackException NoSuchLimit(string name, IReadOnlyCollection<string> known, bool sets = false) => new("KB1730",
        $"There is no limit '{Short(name)}' in this app."
        + (known.Count == 0 ? " It has none: [Limit] on a job makes one, or Keelback:Jobs:Limits."
            : (known.Contains(LimitCatalog.NameOf(name)) ? $" Did you mean '{LimitCatalog.NameOf(name)}'?" : DidYouMean(name, known)) + Known(known, "It has"))
        + (sets ? " To give numbers to one that is still to come, say so: --unknown, or \"unknown\": true." : ""));

    public static KeelbackException NoSecretToKeep(string place) => new("KB1732",
        $"'{SecretValues.Shown}' stands at '{Short(place)}', and the old run has no secret there that could stay. Write the value; nothing was enqueued.");

    public static KeelbackException OtherVersion(string said, string old) => new("KB1733",
        $"'{JobPayload.Version}' is {Short(said)} among the arguments, and those of the old run are of version {old}, as edited ones are. Leave it out; nothing was enqueued.");

    public static KeelbackException BadLimitNumber(string text) => new("KB1731", $"'{Short(text)}' is no number for a limit. Give 1 or more; to take the number away, {Nothing}.");

    public static string KeysUnshared(string where) => "KB1728: " +
        $"Nothing says where data-protection keys are kept, so they are {where}. Another web process, or this one after it was moved, refuses the " +
        "buttons of pages that are open, and logins by cookie are over. Keep them where every process finds them: " +
        "builder.Services.AddDataProtection().SetApplicationName(\"…\").PersistKeysToFileSystem(…), or another store.";

    public static string BadState(string text) => $"'{Short(text)}' is no state." + DidYouMean(text, States.All) + $" States are {string.Join(", ", States.All)}.";

    public static string BadTime(string text) => $"'{Short(text)}' is no point in time. Write it as 2026-01-31T23:59:59Z.";

    public static string DidYouMean(string name, IEnumerable<string> known) => NearestName.Of(Short(name), known) is { } near ? $" Did you mean '{near}'?" : "";

    private static string UnknownKind(string kind, IEnumerable<string> known) =>
        $"There is no job kind '{Short(kind)}', neither in this program nor among its runs." + DidYouMean(kind, known);

    private static string Known(IEnumerable<string> known, string words)
    {
        var few = known.Take(20).ToList();
        return few.Count == 0 ? "" : $" {words} {string.Join(", ", few)}.";
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private static string Exact(int bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture);

    private static string Id(long run) => run.ToString(CultureInfo.InvariantCulture);
}
