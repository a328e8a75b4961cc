using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs;

/// <summary>Every error this package raises. Codes KB1200-KB1299.</summary>
internal static class JobErrors
{
    public static KeelbackException DuplicateKind(JobKind first, JobKind second) => new("KB1201",
        $"Two jobs are called '{first.Name}': in {Where(first)} and in {Where(second)}. " +
        "Give one of them a name of its own: [Job(\"other-name\")].");

    public static KeelbackException PoolTooSmall(int concurrency, int needed, int poolSize) => new("KB1202",
        $"Keelback:Jobs:{nameof(JobsOptions.Concurrency)} ({concurrency.ToString(CultureInfo.InvariantCulture)}) needs a pool of " +
        $"{needed.ToString(CultureInfo.InvariantCulture)} connections, and 'Maximum Pool Size' is " +
        $"{poolSize.ToString(CultureInfo.InvariantCulture)}: jobs would wait for each other's connections. Raise the pool or lower the concurrency.");

    public static string UnknownKind(string kind, string? nearest) =>
        $"KB1203: No handler for job kind '{kind}'; it was handed back." +
        (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        " Deploy the code that has it; if it is deployed, in a library of which this program names no type, add it by AddJobsOf(assembly). " +
        "Or take its queue off this process in Keelback:Jobs:Queues.";

    public static KeelbackException PayloadLacks(string parameter, Type type) => new("KB1204",
        $"The payload has no '{parameter}', and the method's parameter of type {type.Name} has no default. " +
        "Give new parameters a default, so that rows written by older code still run.");

    public static KeelbackException PayloadDoesNotFit(string parameter, Type type, Exception inner) => new("KB1205",
        $"The payload's '{parameter}' does not read as {type.Name}: {inner.Message} " +
        "Keep the old shape readable, or give the job a new kind.", inner);

    public static KeelbackException PayloadTooLarge(string kind, int bytes, int most) => new("KB1206",
        $"The arguments of '{kind}' take {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes of JSON; the limit is " +
        $"{most.ToString("N0", CultureInfo.InvariantCulture)}. Store the data and pass its key, or raise Keelback:Jobs:{nameof(JobsOptions.MaxPayload)}.");

    public static KeelbackException PayloadHasNul(string kind) => new("KB1207",
        $"The arguments of '{kind}' hold a NUL character (\\u0000), or half of a surrogate pair, which PostgreSQL's jsonb cannot store. " +
        "Remove it, or pass the bytes as base64.");

    public static KeelbackException BadOptions(string kind, string mistake) => new("KB1208", $"'{kind}' cannot be enqueued so: {mistake}");

    public static KeelbackException NoResult(JobRun run) => new("KB1209",
        $"Run {run.Id.ToString(CultureInfo.InvariantCulture)} of '{run.Kind}' has no result: it is {run.State}." +
        (run.Error is null ? " Wait for it with WaitAsync." : $" {run.Error.Type}: {run.Error.Message}"));

    public static KeelbackException NoTransaction() => new("KB1210",
        "EnqueueAsync(db, job) joins the context's transaction, and none is open. " +
        "Begin one, or write db.Enqueue(() => job) before SaveChanges, or leave the context out.");

    public static KeelbackException NoContext(string kind) => new("KB1211",
        $"'{kind}' is transactional, and no DbContext is registered for it to work on. " +
        "Add one with AddData<TDb>(), or take Transactional off the [Job].");

    public static KeelbackException ContextNotNamed(JobKind kind, Type[] added, Type[] taken) => new("KB1296",
        $"'{kind.Name}' is transactional, and there are several contexts: {Names(added)}. " +
        $"Name the one that it works on: [Job({Named((taken.FirstOrDefault(added.Contains) ?? added[0]).Name)})].");

    public static KeelbackException ContextNotAdded(JobKind kind, Type named, Type[] added) => new("KB1297",
        $"'{kind.Name}' commits with {named.Name}, which is not among the services" + (added.Length == 0 ? "" : $"; there is {Names(added)}") +
        $". Add it with AddData<{named.Name}>(), or name a context that is there.");

    public static KeelbackException ContextNotTaken(JobKind kind, Type own, Type taken) => new("KB1298",
        $"'{kind.Name}' commits with {own.Name}, and its class takes {taken.Name}: what it does there would stay when the job fails, and come again when it is tried again. " +
        $"Name the context that it works on, [Job({Named(taken.Name)})], or let the class take {own.Name} too.");

    public static KeelbackException EnqueuedOutside(DbContext own, DbContext other) => new("KB1299",
        $"A job that commits with {own.GetType().Name} enqueues with {other.GetType().Name}, whose transaction is another: the run would exist also when the job fails, and again when it is tried again. " +
        $"Enqueue with {own.GetType().Name} or with JobClient.EnqueueAsync(job); what shall stand by itself takes {other.GetType().Name} from a scope of its own.");

    public static KeelbackException ResultTooLarge(string kind, int bytes, int most) => new("KB1212",
        $"The result of '{kind}' takes {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes of JSON; the limit is " +
        $"{most.ToString("N0", CultureInfo.InvariantCulture)}. Store the data and return its key, or raise Keelback:Jobs:{nameof(JobsOptions.MaxPayload)}.");

    public static KeelbackException ResultNotStorable(string kind, string reason, Exception? inner = null) => new("KB1213",
        $"The result of '{kind}' cannot be stored as jsonb: {reason} Remove NUL characters, or return the bytes as base64.", inner);

    public static KeelbackException OutsideRun() => new("KB1214",
        $"{nameof(JobContext)} was read outside of a run. Ask for it in the constructor of a class that declares a job.");

    public static KeelbackException TimedOut(string kind, TimeSpan timeout) => new("KB1215",
        $"An attempt of '{kind}' took longer than its timeout of {timeout}. Raise the timeout, or do less in one job.");

    public static KeelbackException NotPostgres(Type context) => new("KB1216",
        $"{context.Name} is not on PostgreSQL, so a job cannot join its transaction. Configure it with UseNpgsql.");

    public static KeelbackException NoPartition(Exception inner) => new("KB1217",
        "There is no partition for a new run: the database's clock is further ahead than any worker or 'migrate' has prepared. " +
        "Start a worker, or look at the database server's clock.", inner);

    public static KeelbackException ArgumentsTooLarge(string kind) => new("KB1219",
        $"The results that '{kind}' was to be given are over 64 MB together. Store the data, and hand on its keys.");

    public static KeelbackException NoSuchRun(long run) => new("KB1218",
        $"There is no run {run.ToString(CultureInfo.InvariantCulture)} in this app. Its transaction may not have committed, or its retention is over.");

    public static KeelbackException EnqueueUnknown(string kind, Exception inner) => new("KB1270",
        $"The database stopped answering while '{kind}' was being enqueued: nobody knows whether it was. " +
        $"Give the call an {nameof(EnqueueOptions)}.{nameof(EnqueueOptions.Id)}, with which it can be made again without harm, " +
        $"or set Keelback:Jobs:{nameof(JobsOptions.IdempotentEnqueue)}.", inner);

    public static KeelbackException EnqueueAway(string kind, TimeSpan patience, Exception inner) => new("KB1271",
        $"'{kind}' was not enqueued: the database did not answer within Keelback:Jobs:{nameof(JobsOptions.EnqueuePatience)} ({patience}). " +
        "Nothing was written; enqueue it again when the database is back.", inner);

    public static KeelbackException BadProgress(string kind, int bytes) => new("KB1272",
        $"What '{kind}' reports takes {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes of JSON; it may be " +
        $"{PayloadRules.MaxProgressBytes.ToString("N0", CultureInfo.InvariantCulture)}, without NUL characters and half surrogate pairs. Report figures, not data.");

    public static KeelbackException WaitInsideRun(long run) => new("KB1273",
        $"A job waits for run {run.ToString(CultureInfo.InvariantCulture)}: it would hold its slot until another job has had one, and with all slots so held none ever ends. " +
        "Pass that job as an argument, come after it (After), or look with GetAsync and throw JobExit.Snooze.");

    public static KeelbackException ResultNotKept(JobRun run) => Unkept(run.Id, run.Kind, run.ResultKept,
        $". Change {nameof(JobAttribute.KeepResult)} or {nameof(JobAttribute.ResultKept)} of the job or the call.");

    public static KeelbackException ResultNotThere(long run, string kind, TimeSpan kept) => Unkept(run, kind, kept,
        ", and another job was to take it. Enqueue both as one graph, or the second before the first has ended: then it is kept. " +
        $"Or change {nameof(JobAttribute.KeepResult)} or {nameof(JobAttribute.ResultKept)} of '{kind}' or its call.");

    private static KeelbackException Unkept(long run, string kind, TimeSpan? kept, string wayOut) => new("KB1274",
        $"The result of run {run.ToString(CultureInfo.InvariantCulture)} of '{kind}' is not kept{(kept > TimeSpan.Zero ? $" for longer than {kept}" : "")}{wayOut}");

    public static KeelbackException DoesNotFit(string what, JobRun run, Type type, Exception inner) => new("KB1285",
        $"The {what} of run {run.Id.ToString(CultureInfo.InvariantCulture)} of '{run.Kind}' does not read as {type.Name}: {inner.Message} " +
        "Ask for the type that the job has written, or keep its old shape readable.", inner);

    public static KeelbackException FilterOfNoKind(Type filter, string kind, string? nearest) => new("KB1286",
        $"{filter.Name} is a filter around the job '{kind}', and this program has none of that name: it would never run." +
        (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        " Name the job as the database does, or leave the name out for a filter around all: AddJobFilter<T>().");

    public static KeelbackException ResultsGone(string what) => new("KB1288", $"{what} Enqueue the graph again.");

    public static KeelbackException MembersGone(long run, string kind) =>
        ResultsGone($"Run {run.ToString(CultureInfo.InvariantCulture)} of '{kind}' takes results of runs that are gone with their retention.");

    public static KeelbackException BadKey(string kind, string template, string mistake) => new("KB1225",
        $"The key '{Shown(template)}' of '{kind}' cannot be used: {mistake}");

    public static KeelbackException NoSuchLimit(string name, string? nearest) => new("KB1226",
        $"No limit is called '{Shown(name)}'." + (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        $" Give it numbers: on a [Limit(\"{Shown(name)}\", Slots = …)], in Keelback:Jobs:Limits:{Shown(name)}, or by JobLimits.SetAsync.");

    public static KeelbackException BadLimit(string name, string mistake) => new("KB1227", $"The limit '{Shown(name)}' cannot be so: {mistake}");

    public static KeelbackException NoSuchQueue(string name, string? nearest) => new("KB1228",
        $"There is no queue '{Shown(name)}' in this app." + (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        " A queue exists from the first call that goes to it, or the first worker that is told of it.");

    public static KeelbackException BadSlots(string queue, int slots) => new("KB1229",
        $"The queue '{Shown(queue)}' cannot have {slots.ToString(CultureInfo.InvariantCulture)} slots: give it 1 or more, or pause it. No limit is null, 'none' on the command line.");

    public static string NewerPayload(string kind, int version, int known) =>
        $"KB1275: A payload of '{kind}' is of version {version.ToString(CultureInfo.InvariantCulture)}, and this program knows " +
        $"{known.ToString(CultureInfo.InvariantCulture)}; it was handed back. Deploy the code that wrote it.";

    public static KeelbackException NoUpgrade(JobKind kind, int from) => new("KB1276",
        $"'{kind.Name}' is of version {kind.Defaults.Version.ToString(CultureInfo.InvariantCulture)}, and nothing turns a payload of version " +
        $"{from.ToString(CultureInfo.InvariantCulture)} into the next. Add [Upgrade<T>({from.ToString(CultureInfo.InvariantCulture)})] to the method.");

    public static KeelbackException NoSecretKey(string kind) => new("KB1277",
        $"'{kind}' takes or returns what is [Secret], and there is no key to encrypt it with. " +
        $"Set Keelback:Jobs:{nameof(JobsOptions.SecretKeys)} to 32 random bytes as base64, or call AddDataProtection().");

    public static KeelbackException SecretNotReadable(string kind, string name, Exception? inner) => new("KB1278",
        $"No key opens the secret '{name}' of '{kind}'. Keep a key in Keelback:Jobs:{nameof(JobsOptions.SecretKeys)} until no row needs it, " +
        "and let all processes share the keys of data protection.", inner);

    public static KeelbackException ArgumentNotJson(string parameter, Type type, Exception? inner) => new("KB1279",
        $"The argument '{parameter}' of type {type.Name} cannot be written as JSON: {inner?.Message ?? (type == typeof(string) ? "it holds half of a surrogate pair." : "it is no finite number.")} " +
        "Pass a value that JSON can hold, at most 64 levels deep.", inner);

    public static KeelbackException NotUnique(string kind, string key, long run) => new("KB1231",
        $"'{kind}' was not enqueued: run {run.ToString(CultureInfo.InvariantCulture)} has its unique key '{Shown(key)}'. " +
        $"Wait for that run, or answer it: {nameof(UniqueAttribute.OnConflict)} = {nameof(UniqueConflict.Existing)}.");

    public static KeelbackException IdOfAnotherKind(string kind, Guid id, long run, string other) => new("KB1232",
        $"'{kind}' was not enqueued: its id {id} is that of run {run.ToString(CultureInfo.InvariantCulture)} of '{other}'. " +
        "An id stands for one call: make a new one for each, and keep it only to make the same call again.");

    public static KeelbackException KeyIsTaken(string by) => new("KB1233", $"{by} Wait for that run, or cancel it; then retry this one.");

    public static KeelbackException SecretInKey(string kind, string template, string secret) => new("KB1234",
        $"The key '{Shown(template)}' of '{kind}' names its secret '{secret}', and keys are stored and shown in the open. " +
        "Leave it out, or pass what the key needs as a parameter of its own.");

    public static KeelbackException EmptyArgument(string parameter) => new("KB1250",
        $"The argument '{parameter}' is an Arg that holds neither a value nor a job: it was made by new() or default. " +
        "Pass a value of the parameter's type, or the job whose result it is.");

    public static KeelbackException Cycle(IEnumerable<string> kinds) => new("KB1240",
        $"The jobs wait for each other in a circle, so that none could start: {string.Join(" -> ", kinds)}. " +
        "Look at the callbacks: what OnSuccess or OnError returns must not come before the job that it follows.");

    public static KeelbackException NotACall(long run, string mistake) => new("KB1241",
        $"Job.Of({run.ToString(CultureInfo.InvariantCulture)}) is a run that is enqueued already: {mistake}");

    public static KeelbackException NeverOpens(string kind, string up) => new("KB1242",
        $"'{kind}' waits for '{up}' both to succeed and not to: it could never start. Let one job follow the success and another the failure.");

    public static KeelbackException StillShut(JobRun run) => new("KB1243",
        $"Run {run.Id.ToString(CultureInfo.InvariantCulture)} of '{run.Kind}' never ran, and what it waited for still stands as it was: {run.Error?.Message} " +
        "Retry the run that is named, or all that did not succeed with RetryGraphAsync.");

    public static KeelbackException WaitsForItself(string kind, long run, long waiting) => new("KB1244",
        $"Run {run.ToString(CultureInfo.InvariantCulture)} of '{kind}' cannot be replaced so: the graph waits for run " +
        $"{waiting.ToString(CultureInfo.InvariantCulture)}, {(waiting == run ? "which is itself" : "which waits for it")}, and neither could end. " +
        "Take that run out of the graph, or enqueue the graph beside it and return a result.");

    public static KeelbackException UnknownMappedKind(string kind, string? nearest) => new("KB1245",
        $"No handler for job kind '{kind}', which is mapped over items." + (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        " Deploy the code that has it, or give the map the queue of workers that have it: Job.Map(…).With(new() { Queue = \"…\" }).");

    public static KeelbackException BadMap(string mistake) => new("KB1246", $"Items cannot be mapped so: {mistake}");

    public static KeelbackException TooManyItems(int count, int most) => BadMap(
        $"there are {count.ToString("N0", CultureInfo.InvariantCulture)}, and {most.ToString("N0", CultureInfo.InvariantCulture)} are the most. " +
        "Give each run a chunk of them (Job.Chunks), or map in two steps.");

    private static string Where(JobKind kind) => $"{kind.DeclaredBy.FullName} ({kind.DeclaredBy.Assembly.GetName().Name})";

    public static KeelbackException BadCron(string text, CronField? field, int at, string mistake) => new("KB1220",
        $"cron '{Shown(text)}', {(field is null ? "" : field.Name + ", ")}position {(at + 1).ToString(CultureInfo.InvariantCulture)}: {mistake}");

    public static KeelbackException NeverFires(string text) => new("KB1221",
        $"cron '{Shown(text)}' can never fire: no month has such a day. Give a day that exists, or 'L' for the month's last.");

    public static KeelbackException NoSuchZone(string zone, string? nearest) => new("KB1222",
        $"There is no time zone '{Shown(zone)}'." + (nearest is null ? "" : $" Did you mean '{nearest}'?") +
        " Give an IANA name such as 'Europe/Berlin', or 'UTC'.");

    public static KeelbackException BadTime(string text) => new("KB1223",
        $"'{Shown(text)}' is no point in time of the years 1 to 9999. Write it as 2026-03-29T01:30:00+01:00, or without the offset as the zone's clocks show it.");

    public static KeelbackException BadTrigger(string mistake) => new("KB1255", $"A trigger cannot be made so: {mistake}");

    public static KeelbackException BadSchedule(string name, string mistake) => new("KB1256", $"Schedule '{Shown(name)}' cannot be so: {mistake}");

    public static KeelbackException ScheduleNeverFires(string name, Trigger trigger, ScheduleOptions options) => new("KB1257",
        $"Schedule '{Shown(name)}' ({trigger}) can never fire" +
        (options.Start is { } start ? $" from {start:O}" : "") + (options.End is { } end ? $" until {end:O}" : "") +
        ". Widen its bounds, its holidays or its trigger.");

    public static KeelbackException DuplicateSchedule(string name) => new("KB1258",
        $"Two schedules are called '{Shown(name)}'. Give one of them another name.");

    public static KeelbackException ScheduleExists(string name) => new("KB1259",
        $"There is a schedule '{Shown(name)}' already. Change it, or give the new one another name.");

    public static KeelbackException NoSuchSchedule(string name, string? nearest) => new("KB1260",
        $"There is no schedule '{Shown(name)}'." + (nearest is null ? "" : $" Did you mean '{nearest}'?"));

    public static KeelbackException ScheduleIsCode(string name) => new("KB1261",
        $"Schedule '{Shown(name)}' is defined in the app's code, which would bring it back. Take it out of the code, or pause it.");

    public static KeelbackException ScheduleNotHere(string name) => new("KB1262",
        $"This process cannot make the call of schedule '{Shown(name)}': its code does not have the schedule, or one of its jobs. Run the app's newest version.");

    public static KeelbackException ScheduleHasId(string name) => new("KB1263",
        $"The call of schedule '{Shown(name)}' has an {nameof(EnqueueOptions)}.{nameof(EnqueueOptions.Id)}, so that only its first tick would enqueue. Leave it out: a tick enqueues once anyway.");

    public static KeelbackException ScheduleNotOfCode(string name) => new("KB1264",
        $"Schedule '{Shown(name)}' was added at run time: there is no code to reset it to. Change it, or remove it.");

    public static KeelbackException TickHeldUp(string name, Exception inner) => new("KB1290",
        $"The call of schedule '{Shown(name)}' needs a row that another transaction has locked: the run that it replaces, or one of the same unique key. " +
        "It is tried again; look for a session that is idle in transaction.", inner);

    public static KeelbackException NotStorable(string what, string text) => new("KB1289",
        $"The {what} '{Shown(text)}' holds a NUL character, or half of a surrogate pair, which PostgreSQL cannot store: nothing has it. Take it out.");

    public static KeelbackException ScheduleIsRetired(string name) => new("KB1265",
        $"Schedule '{Shown(name)}' is retired: it was of the app's code, which has it no more, and it does not tick. " +
        $"Make it one of run time with {nameof(JobSchedules.AddOrChangeAsync)}, or put it back into the code.");

    private static string Names(IEnumerable<Type> contexts) => string.Join(", ", contexts.Select(context => context.Name));

    private static string Named(string context) => $"{nameof(JobAttribute.Transactional)} = true, {nameof(JobAttribute.Context)} = typeof({context})";

    // What a terminal or a log would act on, or could not write, as its number.
    internal static string Shown(string? text)
    {
        text ??= "";
        var shown = text.Length <= 100 ? text : text[..100] + "…";
        return string.Concat(shown.Select((c, i) => char.IsControl(c) || char.IsSurrogate(c) && !IsPaired(shown, i) ? $"\\u{(int)c:x4}" : $"{c}"));
    }

    private static bool IsPaired(string text, int i) =>
        i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) || i > 0 && char.IsSurrogatePair(text[i - 1], text[i]);
}
