using System.Text;

namespace Keelback.Ops;

/// <summary>What the text of a search asks for: words that a run must hold, each as the beginning of one of its own.</summary>
internal static class SearchWords
{
    private const int Most = 20;
    private const int LongestWord = 100; // as keelback.words_of keeps it

    /// <summary>In lower case, as far as words are kept.</summary>
    public static IReadOnlyList<string> Of(string text)
    {
        var words = new List<string>();
        var (word, length) = (new StringBuilder(), 0);
        foreach (var letter in text.EnumerateRunes().Append(new Rune(' ')))
        {
            if (Rune.IsLetterOrDigit(letter))
            {
                if (length++ < LongestWord) word.Append(Rune.ToLowerInvariant(letter).ToString());
            }
            else if (length > 0)
            {
                words.Add(word.ToString());
                (_, length) = (word.Clear(), 0);
            }
        }

        return words;
    }

    /// <summary>What is wrong with the text of a search. To pass over it, or over a part of it, would find more than it says, and an action would be done to all that.</summary>
    /// <returns>KB1723: it has no word. KB1724: it has too many. Null: nothing.</returns>
    public static KeelbackException? Mistake(string? text) => text is null ? null : Of(text).Count switch
    {
        0 => OpsErrors.NoWord(text),
        > Most and var count => OpsErrors.TooManyWords(text, count, Most),
        _ => null,
    };

    /// <summary>The text as a tsquery.</summary>
    /// <exception cref="KeelbackException">KB1723, KB1724.</exception>
    public static string Query(string text) =>
        Mistake(text) is { } mistake ? throw mistake : string.Join(" & ", Of(text).Select(word => $"'{word}':*")); // letters and digits alone: nothing to escape
}
