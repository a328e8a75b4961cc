namespace Keelback.Jobs;

/// <summary>Text as PostgreSQL takes it: without NUL and half surrogate pairs.</summary>
internal static class StorableText
{
    /// <summary>What is wrong with a text that is to be a name; null: nothing. Names are shown on pages, in logs and terminals.</summary>
    public static string? NameMistake(string name) =>
        !IsStorable(name) ? "it holds a NUL character, or half of a surrogate pair." : HasControl(name) ? "it holds a control character." : null;

    /// <summary>For text that is only stored or looked for: names of older code may hold any other character.</summary>
    /// <exception cref="KeelbackException">KB1289.</exception>
    /// <exception cref="ArgumentNullException">There is none.</exception>
    public static void Check(string what, string text)
    {
        ArgumentNullException.ThrowIfNull(text, what);
        if (!IsStorable(text)) throw JobErrors.NotStorable(what, text);
    }

    /// <summary>With U+FFFD for each of them.</summary>
    public static string Of(string text, int most = int.MaxValue)
    {
        var cut = text.Length <= most ? text : text[..most];
        return string.Create(cut.Length, cut, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                target[i] = IsStorable(source, i) ? source[i] : '\uFFFD';
        });
    }

    private static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (!IsStorable(text, i)) return false;

        return true;
    }

    private static bool IsStorable(string text, int i) =>
        text[i] != '\0' && (!char.IsSurrogate(text[i])
            || char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])
            || char.IsLowSurrogate(text[i]) && i > 0 && char.IsHighSurrogate(text[i - 1]));

    private static bool HasControl(string text)
    {
        foreach (var c in text)
            if (char.IsControl(c)) return true;

        return false;
    }
}
