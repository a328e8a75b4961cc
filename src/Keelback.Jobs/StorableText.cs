namespace Keelback.Jobs;

/// <summary>Text as PostgreSQL takes it: NUL and half surrogate pairs become U+FFFD.</summary>
internal static class StorableText
{
    public static string Of(string text, int most = int.MaxValue)
    {
        var cut = text.Length <= most ? text : text[..most];
        return string.Create(cut.Length, cut, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                var paired = char.IsHighSurrogate(source[i]) && i + 1 < source.Length && char.IsLowSurrogate(source[i + 1])
                    || char.IsLowSurrogate(source[i]) && i > 0 && char.IsHighSurrogate(source[i - 1]);
                target[i] = source[i] == '\0' || char.IsSurrogate(source[i]) && !paired ? '\uFFFD' : source[i];
            }
        });
    }
}
