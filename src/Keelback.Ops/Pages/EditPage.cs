namespace Keelback.Ops;

/// <summary>A run's arguments, to be changed and enqueued as a new run.</summary>
internal static class EditPage
{
    public static Page Render(RunDetails run, string json, string? mistake, Place place, Markup token) => new($"Edit {run.Kind}", "runs", Html.Of(
        $"""
        <div class="head"><p class="soft"><a href="{place.Runs}">Runs</a> / <a href="{place.Run(run.Id)}">{run.Kind} {Show.Id(run.Id)}</a></p>
        <h1>Edit and enqueue anew</h1></div>
        {Html.If(mistake is not null, () => Html.Of($"""<p class="error" role="alert">{mistake}</p>"""))}
        <section><form method="post" action="{place.Run(run.Id)}/edit">{token}
        <label>Arguments of the new run, a JSON object whose members are the parameters of the method
        <textarea name="json" spellcheck="false" rows="18">{json}</textarea></label>
        {Html.If(json.Contains(SecretArguments.Shown, StringComparison.Ordinal), () => Html.Of($"""<p class="soft">Where <code>{SecretArguments.Shown}</code> stays, the new run has the old one's secret.</p>"""))}
        <p class="soft">The new run goes to queue {run.Queue} with priority {run.Priority} and {run.MaxAttempts} attempt{(run.MaxAttempts == 1 ? "" : "s")}. It keeps the old one's tags, tenant, limits and time limits, and is due at once. The old one stays as it is; nothing waits for the new one.</p>
        <div class="buttons"><button class="main">Enqueue</button> <a class="button" href="{place.Run(run.Id)}">Leave it</a></div>
        </form></section>
        """))
    { Status = mistake is null ? 200 : 400 };
}
