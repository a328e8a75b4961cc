using System.Text;
using Keelback.Jobs;
using Microsoft.AspNetCore.Http.Metadata;

namespace Keelback.Ops;

/// <summary>A run's arguments, to be changed and enqueued as a new run.</summary>
internal static class EditPage
{
    /// <summary>What the form may take as a body.</summary>
    public static readonly BodyLimit Limit = new(MostText + 64 * 1024);

    private const int MostText = 4 * 1024 * 1024; // of a form's value, by ASP.NET's default

    /// <summary>Stored arguments for a person to edit; as they are stored where white space would make them too many.</summary>
    public static string Text(string stored)
    {
        var (hidden, lines) = (PayloadVersion.Hide(SecretValues.Hide(stored)), 0);
        var pretty = RunDetailsReader.Pretty(hidden);
        foreach (var c in pretty) lines += c == '\n' ? 1 : 0; // each comes back as two characters
        return Encoding.UTF8.GetByteCount(pretty) + lines <= MostText - 64 * 1024 ? pretty : hidden;
    }

    /// <param name="run">The old run.</param>
    /// <param name="json">What stands in the form.</param>
    /// <param name="onConflict">What a unique key does; null: the kind has none that is known here.</param>
    /// <param name="mistake">Why it was not enqueued as it stands there.</param>
    /// <param name="place">Where the pages are.</param>
    /// <param name="hidden">The form's hidden fields.</param>
    public static Page Render(RunDetails run, string json, UniqueConflict? onConflict, (string Text, int Status)? mistake, Place place, Markup hidden) => new($"Edit {run.Kind}", "runs", Html.Of(
        $"""
        <div class="head"><p class="soft"><a href="{place.Runs}">Runs</a> / <a href="{place.Run(run.Id)}">{run.Kind} {Show.Id(run.Id)}</a></p>
        <h1>Edit and enqueue anew</h1></div>
        {Html.If(mistake is not null, () => Html.Of($"""<p class="error" role="alert">{mistake!.Value.Text}</p>"""))}
        <section><form method="post" enctype="multipart/form-data" action="{place.Run(run.Id)}/edit">{hidden}
        <label>Arguments of the new run, a JSON object whose members are the parameters of the method
        <textarea name="json" spellcheck="false" rows="18">{json}</textarea></label>
        {Html.If(json.Contains(SecretValues.Shown, StringComparison.Ordinal), () => Html.Of($"""<p class="soft">Where <code>{SecretValues.Shown}</code> stays, the new run has the old one's secret; another value that you write there is stored encrypted too.</p>"""))}
        <p class="soft">The new run goes to queue {run.Queue} with priority {run.Priority} and {run.MaxAttempts} attempt{(run.MaxAttempts == 1 ? "" : "s")}. It keeps the old one's tags, tenant, limits and time limits, and is due at once. {Fate(onConflict)} Nothing waits for the new one.</p>
        <div class="buttons"><button class="main">Enqueue</button> <a class="button" href="{place.Run(run.Id)}">Leave it</a></div>
        </form></section>
        """))
    { Status = mistake?.Status ?? 200 };

    private static string Fate(UniqueConflict? onConflict) => onConflict switch
    {
        null => "The old one stays as it is.",
        UniqueConflict.Replace => "An open run that has its unique key, as the old one may, is cancelled, and the new one takes its place.",
        _ => "The old one stays as it is; while an open run has the unique key of these arguments, as the old one may, nothing is enqueued.",
    };
}

/// <summary>On an endpoint: what its body may have, whatever the server's own limit is.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
