using System.Text;
using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>A key with <c>{parameter}</c> places, which a call's arguments fill: <c>customer:{customerId}</c>, <c>{order.CustomerId}</c>.</summary>
internal static class KeyTemplate
{
    public const int MaxLength = 200;

    /// <summary>The key with the arguments' values.</summary>
    /// <exception cref="KeelbackException">KB1225, KB1234.</exception>
    public static string Fill(string? template, PlannedRun run)
    {
        if (template is null) throw JobErrors.BadKey(run.Kind.Name, "", "it is null.");
        if (SecretIn(template, run.Kind) is { } secret) throw JobErrors.SecretInKey(run.Kind.Name, template, secret);

        var key = template.Contains('{', StringComparison.Ordinal) ? Filled(template, run) : template;
        var mistake = key switch
        {
            _ when string.IsNullOrWhiteSpace(key) => "it is empty.",
            { Length: > MaxLength } => $"it has {key.Length} characters, and {MaxLength} are the most. Hash what makes it long.",
            ['#', ..] => "a key that begins with '#' is the engine's.",
            _ => StorableText.NameMistake(key),
        };

        return mistake is null ? key : throw JobErrors.BadKey(run.Kind.Name, template, mistake);
    }

    /// <summary>The secret of a kind's that a template names; null: none. A key is stored and shown in the open.</summary>
    public static string? SecretIn(string template, JobKind kind)
    {
        if (kind.Secrets.Count == 0 || Places(template) is not { } places) return null;

        var named = places.Select(place => JsonNamingPolicy.CamelCase.ConvertName(place.Split('.')[0])).ToHashSet(StringComparer.Ordinal);
        return kind.Secrets.FirstOrDefault(secret => named.Contains(JsonNamingPolicy.CamelCase.ConvertName(secret)));
    }

    /// <summary>The places of a template: <c>order.CustomerId</c>. Null: a bracket has no partner.</summary>
    public static IReadOnlyList<string>? Places(string template)
    {
        var places = new List<string>();
        for (var i = template.IndexOfAny(['{', '}']); i >= 0; i = template.IndexOfAny(['{', '}'], i))
        {
            var end = template.IndexOf('}', i);
            if (template[i] == '}' || end < 0) return null;

            places.Add(template[(i + 1)..end]);
            i = end + 1;
        }

        return places;
    }

    private static string Filled(string template, PlannedRun run)
    {
        if (Places(template) is not { } places) throw JobErrors.BadKey(run.Kind.Name, template, "a '{' or '}' has no partner.");

        // The template's own places and no others: what an argument holds is not read again.
        using var arguments = JsonDocument.Parse(run.Payload);
        var key = new StringBuilder();
        var end = 0;
        foreach (var place in places)
        {
            var start = template.IndexOf('{', end);
            key.Append(template, end, start - end).Append(Value(arguments.RootElement, place, template, run));
            end = start + place.Length + 2;
        }

        return key.Append(template, end, template.Length - end).ToString();
    }

    private static string Value(JsonElement arguments, string place, string template, PlannedRun run)
    {
        var path = place.Split('.');
        var value = arguments;
        for (var i = 0; i < path.Length; i++)
        {
            if (value.ValueKind == JsonValueKind.Object && Member(value, path[i]) is { } member)
            {
                if (SecretEnvelope.Is(member)) throw JobErrors.SecretInKey(run.Kind.Name, template, string.Join('.', path.Take(i + 1)));
                value = member;
                continue;
            }

            throw JobErrors.BadKey(run.Kind.Name, template, i == 0 && run.IsBound(path[0])
                ? $"'{place}' is another job's result, which is not known when the job is enqueued."
                : $"its call has no '{string.Join('.', path.Take(i + 1))}'.");
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            JsonValueKind.Null => throw JobErrors.BadKey(run.Kind.Name, template, $"'{place}' is null."),
            _ => throw JobErrors.BadKey(run.Kind.Name, template, $"'{place}' is not one value, but {(value.ValueKind == JsonValueKind.Array ? "a list" : "an object")}."),
        };
    }

    // As it is written, or as the serializer writes it.
    private static JsonElement? Member(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) || of.TryGetProperty(JsonNamingPolicy.CamelCase.ConvertName(name), out value) ? value : null;
}
