using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What ticks when, and what became of it.</summary>
internal static class SchedulesPage
{
    private const int Ticks = 5;

    public static Page Render(IReadOnlyList<JobSchedule> schedules, DateTimeOffset now, Place place, Markup token) => new("Schedules", "schedules", Html.Of(
        $"""
        <div class="head"><h1>Schedules</h1></div>
        <section>{(schedules.Count == 0
            ? Html.Of($"""<p class="empty">No schedule yet. <code>[Schedule("0 2 * * *")]</code> on a job makes one; so does <code>JobSchedules.AddAsync</code>.</p>""")
            : Table(schedules, now, place, token))}</section>
        """))
    { Live = 5000 };

    /// <summary>One schedule with its ticks to come and those that passed, and the form that changes it, again with what is wrong with it.</summary>
    public static Page One(
        JobSchedule schedule, IReadOnlyList<JobTick> history, DateTimeOffset now, Place place, Markup token, string? mistake = null,
        (string When, string Zone)? typed = null, int status = 400) => new(schedule.Name, "schedules", Html.Of(
        $"""
        <div class="head"><p class="soft"><a href="{place.Schedules}">Schedules</a></p><h1>{schedule.Name}</h1>
        <p>{State(schedule.State)} {schedule.Trigger.ToString()}</p>
        <div class="buttons">{Buttons(schedule, place, token)}{Html.If(schedule.IsOverridden, () => Button(schedule, "reset", "Reset to the code", place, token))}</div></div>
        {Html.If(mistake is not null, () => Html.Of($"""<p class="error" role="alert">{mistake}</p>"""))}
        <div class="two">
        <section><h2>Next ticks</h2>{Next(schedule, now)}</section>
        <section><h2>Facts</h2><dl>{Facts(schedule, place)}</dl></section></div>
        {Html.If(!token.IsEmpty, () => Html.Of($"<section><h2>Change when it ticks</h2>{Change(schedule, place, token, typed)}</section>"))}
        <section><h2>Ticks that passed</h2>{History(history, place)}</section>
        """))
        {
            Live = mistake is null ? 5000 : 0,
            Status = mistake is null ? 200 : status,
        };

    private static Markup Table(IReadOnlyList<JobSchedule> schedules, DateTimeOffset now, Place place, Markup token) => Html.Of(
        $"""
        <div class="scroll" id="schedules" tabindex="0"><table>
        <thead><tr><th>Schedule</th><th>State</th><th>When</th><th>Enqueues</th><th>Next {Ticks}</th><th>Last</th><th class="n">Runs</th><th></th></tr></thead>
        <tbody>{Html.Each(schedules, s => Html.Of(
            $"""
            <tr><td><a href="{place.Schedule(s.Name)}">{s.Name}</a></td><td>{State(s.State)}</td><td class="clip">{s.Trigger.ToString()}{Html.If(s.IsOverridden, () => Html.Of($" <small>changed</small>"))}</td>
            <td>{string.Join(", ", s.Kinds)}</td><td class="wrap">{Coming(s, now)}</td><td>{Last(s, now, place)}</td><td class="n">{Show.Count(s.Runs)}</td><td class="act">{Buttons(s, place, token)}</td></tr>

            """))}</tbody></table></div>
        """);

    private static Markup Coming(JobSchedule schedule, DateTimeOffset now)
    {
        var ticks = Ahead(schedule, now);
        return ticks.Count == 0 ? Html.Of($"–") : Html.Of(
            $"""{Show.Time(ticks[0], now)}{Html.If(ticks.Count > 1, () => Html.Of($"""<small title="{string.Join("\n", ticks.Select(Local))}"> then {string.Join(", ", ticks.Skip(1).Select(t => Short(t, ticks[0])))} {Zone(schedule, ticks[0])}</small>"""))}""");
    }

    private static Markup Next(JobSchedule schedule, DateTimeOffset now)
    {
        var ticks = Ahead(schedule, now);
        return ticks.Count == 0
            ? Html.Of($"""<p class="empty">None: it is {Word(schedule.State)}.</p>""")
            : Html.Of($"""<ol class="timeline">{Html.Each(ticks, t => Html.Of($"<li><span>{Show.Time(t, now)}</span> <span>{Local(t)} <small>{Zone(schedule, t)}</small></span></li>"))}</ol>""");
    }

    private static Markup Facts(JobSchedule schedule, Place place) => Html.Of(
        $"""
        <dt>Enqueues</dt><dd>{Html.Each(schedule.Kinds, k => Html.Of($"""<a class="chip" href="{place.Runs}?kind={Uri.EscapeDataString(k)}">{k}</a>"""))}</dd>
        <dt>Defined</dt><dd>{(schedule.IsFromCode ? schedule.IsOverridden ? "in the code, changed at run time" : "in the code" : "at run time")}</dd>
        <dt>When a run is still open</dt><dd>{Show.Words(schedule.Options.Overlap)}</dd>
        <dt>Ticks that were missed</dt><dd>{Show.Words(schedule.Options.CatchUp)}</dd>
        {Html.If(schedule.Options.Jitter > TimeSpan.Zero, () => Html.Of($"<dt>Jitter</dt><dd>up to {Show.Span(schedule.Options.Jitter)}</dd>"))}
        {Html.If(schedule.Options.Holidays is not null, () => Html.Of($"<dt>Holidays</dt><dd>{(schedule.Options.OnHoliday == OnHoliday.Skip ? "left out" : "moved to the next working day")}</dd>"))}
        <dt>Runs enqueued</dt><dd>{Show.Count(schedule.Runs)}{Html.If(schedule.LastRun is not null, () => Html.Of($""", last <a class="id" href="{place.Run(schedule.LastRun!.Value)}">{Show.Id(schedule.LastRun.Value)}</a>"""))}</dd>
        """);

    private static Markup Change(JobSchedule schedule, Place place, Markup token, (string When, string Zone)? typed)
    {
        if (schedule.State == JobScheduleState.Retired) return Html.Of($"""<p class="empty">The code has it no more.</p>""");

        var (when, zone) = typed ?? ScheduleActions.Written(schedule.Trigger) ?? ("", "UTC");
        return Html.Of(
            $"""
            <form class="search plain" method="post" action="{place.Schedule(schedule.Name)}/change">{token}
            <label class="wide">Cron expression, or a rate such as <code>every 5m</code><input name="when" value="{when}" placeholder="{schedule.Trigger.ToString()}" autocomplete="off" spellcheck="false"></label>
            <label>Time zone<input name="zone" value="{zone}" autocomplete="off"></label>
            <button class="main">Change</button></form>
            <p class="soft">Counts from now on every node, and is kept over deploys until it is reset. Ticks that passed are not made up for.</p>
            """);
    }

    private static Markup Buttons(JobSchedule schedule, Place place, Markup token)
    {
        var run = Html.If(schedule.State != JobScheduleState.Retired, () => Button(schedule, "run", "Run now", place, token));
        var pause = schedule.State switch
        {
            JobScheduleState.Paused => Button(schedule, "resume", "Resume", place, token),
            JobScheduleState.Active => Button(schedule, "pause", "Pause", place, token),
            _ => Markup.Empty,
        };
        return Html.Of($"""<span class="row">{run}{pause}</span>""");
    }

    private static Markup Button(JobSchedule schedule, string action, string word, Place place, Markup token) => token.IsEmpty
        ? Markup.Empty
        : Html.Of($"""<form method="post" action="{place.Schedule(schedule.Name)}/{action}">{token}{Html.If(action == "run", () => Once.Field())}<button>{word}</button></form>""");

    private static Markup State(JobScheduleState state)
    {
        var (tone, path) = state switch
        {
            JobScheduleState.Active => ("good", "M2.5 6.5 5 9l4.5-6"),
            JobScheduleState.Paused => ("wait", "M4 2.5v7M8 2.5v7"),
            _ => ("off", "M2.5 6h7"),
        };
        return Html.Of($"""<span class="state {tone}"><svg class="ico" viewBox="0 0 12 12" aria-hidden="true"><path d="{path}"/></svg>{Word(state)}</span>""");
    }

    private static Markup Last(JobSchedule schedule, DateTimeOffset now, Place place) => schedule.LastRun is { } run && schedule.Last is not null
        ? Html.Of($"""<a href="{place.Run(run)}">{Show.Time(schedule.Last, now)}</a>""")
        : Show.Time(schedule.Last, now);

    private static Markup History(IReadOnlyList<JobTick> history, Place place) => history.Count == 0
        ? Html.Of($"""<p class="empty">None yet.</p>""")
        : Html.Of(
            $"""
            <div class="scroll" id="ticks" tabindex="0"><table><thead><tr><th>Tick</th><th>What became of it</th><th>Run</th><th>Why</th></tr></thead>
            <tbody>{Html.Each(history, t => Html.Of(
                $"""
                <tr><td>{Local(t.At)}</td><td>{Show.Words(t.Outcome)}{Html.If(t.Count is null or > 1, () => Html.Of($", {(t.Count is { } n ? Show.Count(n) : "over 10,000")} ticks"))}</td>
                <td>{(t.Run is { } run ? Html.Of($"""<a class="id" href="{place.Run(run)}">{Show.Id(run)}</a>""") : Html.Of($"–"))}</td><td class="clip">{t.Error}</td></tr>

                """))}</tbody></table></div>
            """);

    private static List<DateTimeOffset> Ahead(JobSchedule schedule, DateTimeOffset now) =>
        schedule.State == JobScheduleState.Active ? [.. schedule.TicksAfter(now).Take(Ticks)] : [];

    private static string Word(JobScheduleState state) => state.ToString().ToLowerInvariant();

    /// <summary>In which zone it ticks; of a trigger that names none, the tick's offset.</summary>
    private static string Zone(JobSchedule schedule, DateTimeOffset tick) =>
        ScheduleActions.Written(schedule.Trigger)?.Zone ?? tick.ToString("zzz", CultureInfo.InvariantCulture);

    private static string Local(DateTimeOffset at) => at.ToString("ddd yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    private static string Short(DateTimeOffset at, DateTimeOffset first) =>
        at.ToString(at.Date == first.Date ? at.Second == 0 ? "HH:mm" : "HH:mm:ss" : "MMM d HH:mm", CultureInfo.InvariantCulture);
}
