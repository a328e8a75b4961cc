using System.Globalization;
using System.Text.Json.Serialization;
using Keelback.Jobs;
using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>What somebody looks for; what is not set says nothing.</summary>
internal sealed record RunSearch
{
    public string? Kind { get; init; }

    public string? Queue { get; init; }

    public JobRunState? State { get; init; }

    /// <summary>In any state but those of a run that has ended.</summary>
    public bool IsOpen { get; init; }

    public string? Tag { get; init; }

    /// <summary>1 to 20 words of the arguments and the error; all must be there, each as the beginning of a word. Digits alone may also be a run's id.</summary>
    public string? Text { get; init; }

    /// <summary>Enqueued at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Enqueued before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Runs with ids below: the next page.</summary>
    public long? Before { get; init; }

    [JsonIgnore]
    public bool IsEmpty => this with { Before = null, Text = SearchWords.Of(Text ?? "").Count == 0 ? null : Text } == new RunSearch();

    /// <summary>Reads an address's query. What does not read is told in <paramref name="mistakes"/>, by its key.</summary>
    public static RunSearch Of(IQueryCollection query, List<FieldError> mistakes)
    {
        foreach (var key in query.Keys.Where(k => !Keys.Contains(k)))
            mistakes.Add(FieldError.InParameter(key, "unknown", $"There is no '{key}' here." + OpsErrors.DidYouMean(key, Keys)));
        foreach (var (key, value) in query.Where(q => q.Value.ToString().Contains('\0', StringComparison.Ordinal)))
            mistakes.Add(FieldError.InParameter(key, "value", $"'{value.ToString().Replace('\0', '␀')}' ({key}) holds a NUL character, which no run does. Take it out."));
        if (SearchWords.Mistake(Text("text")) is { } mistaken) mistakes.Add(FieldError.InParameter("text", "value", mistaken.Text));

        return new()
        {
            Kind = Text("kind"),
            Queue = Text("queue"),
            Tag = Text("tag"),
            Text = Text("text"),
            State = States.IsOpen(Text("state")) ? null : Parse("state", OpsErrors.BadState, States.Parse),
            IsOpen = States.IsOpen(Text("state")),
            From = Parse("from", OpsErrors.BadTime, ParseTime),
            To = Parse("to", OpsErrors.BadTime, ParseTime),
            Before = Parse("before", static t => $"'{t}' is no run's id.", static t => long.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (long?)id : null),
        };

        string? Text(string key) => query[key].ToString().Trim() is { Length: > 0 } text ? text : null;

        T? Parse<T>(string key, Func<string, string> mistake, Func<string, T?> parse) where T : struct
        {
            if (Text(key) is not { } text) return null;
            if (parse(text) is { } value) return value;

            mistakes.Add(FieldError.InParameter(key, "value", mistake(text)));
            return null;
        }
    }

    /// <summary>The same as an address's query, from another page on.</summary>
    public string Query(long? before = null)
    {
        var query = QueryString.Empty;
        void Add(string key, string? value) => query = value is null ? query : query.Add(key, value);
        Add("kind", Kind);
        Add("queue", Queue);
        Add("state", State is { } state ? States.Name(state) : IsOpen ? States.Open : null);
        Add("tag", Tag);
        Add("text", Text);
        Add("from", From?.ToString("O", CultureInfo.InvariantCulture));
        Add("to", To?.ToString("O", CultureInfo.InvariantCulture));
        Add("before", before?.ToString(CultureInfo.InvariantCulture));
        return query.ToString();
    }

    /// <summary>What is said of one that the database stopped.</summary>
    public static readonly FieldError TooSlow = FieldError.InParameter("text", "slow", "The search took longer than 5 s and was stopped. Narrow it by time, kind or state.");

    /// <summary>What it says, for a person.</summary>
    public IEnumerable<(string Name, string Value)> Facts() => new (string Name, string? Value)[]
    {
        ("State", State is { } state ? Show.Word(state) : IsOpen ? "open" : null), ("Kind", Kind), ("Queue", Queue), ("Tag", Tag), ("Words", Text),
        ("Enqueued from", From is { } from ? Show.Full(from) : null), ("Enqueued until", To is { } to ? Show.Full(to) : null),
    }.Where(f => f.Value is not null).Select(f => (f.Name, f.Value!));

    public static readonly string[] Keys = ["kind", "queue", "state", "tag", "text", "from", "to", "before"];

    /// <summary>ISO 8601; without an offset it is UTC. Nothing else: <c>01/02/2026</c> is January to some and February to others. Null: it is none.</summary>
    public static DateTimeOffset? ParseTime(string text)
    {
        try
        {
            return CronTime.Parse(text, "UTC").ToUniversalTime();
        }
        catch (KeelbackException)
        {
            return null;
        }
    }
}

/// <summary>The states' names in addresses, on the command line and in JSON: camel case.</summary>
internal static class States
{
    /// <summary>All that have not ended.</summary>
    public const string Open = "open";

    public static readonly string[] All = [.. Enum.GetValues<JobRunState>().Select(Name), Open];

    public static string Name(JobRunState state) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(state.ToString());

    /// <summary>However it is written: <c>upstreamFailed</c>, or <c>upstream failed</c> as people are shown it.</summary>
    public static JobRunState? Parse(string text) =>
        text.Replace(" ", "", StringComparison.Ordinal) is var name && name.All(char.IsLetter) && Enum.TryParse<JobRunState>(name, ignoreCase: true, out var state) ? state : null;

    public static bool IsOpen(string? text) => string.Equals(text, Open, StringComparison.OrdinalIgnoreCase);

    /// <summary>What <c>keelback.run</c> holds; 0 for every state of an open run.</summary>
    public static short Stored(JobRunState state) => state < JobRunState.Succeeded ? (short)0 : (short)(state - JobRunState.Succeeded + 1);
}
