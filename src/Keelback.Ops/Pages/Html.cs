using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Keelback.Ops;

/// <summary>A piece of HTML that is safe to write as it stands. Only <see cref="Html.Of"/> makes one.</summary>
internal readonly struct Markup
{
    private readonly string? _text;

    internal Markup(string text) => _text = text;

    public static readonly Markup Empty;

    public bool IsEmpty => string.IsNullOrEmpty(_text);

    public override string ToString() => _text ?? "";
}

/// <summary>Writes HTML: the literal parts of an interpolated string stay, what is put into them is encoded unless it is <see cref="Markup"/>.</summary>
internal static class Html
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>Attributes must stand in double quotes; the address of a link must begin with a literal.</summary>
    public static Markup Of(HtmlText text) => text.Close();

    public static Markup Each<T>(IEnumerable<T> items, Func<T, Markup> one)
    {
        var text = new StringBuilder();
        foreach (var item in items) text.Append(one(item).ToString());
        return new(text.ToString());
    }

    public static Markup If(bool condition, Func<Markup> then) => condition ? then() : Markup.Empty;

    internal static string Encode(string text) => s_encoder.Encode(text);
}

/// <summary>The compiler's helper for <see cref="Html.Of"/>.</summary>
[InterpolatedStringHandler]
internal readonly struct HtmlText(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + formattedCount * 16);

    public void AppendLiteral(string text) => _text.Append(text);

    public void AppendFormatted(Markup markup) => _text.Append(markup.ToString());

    public void AppendFormatted(string? text)
    {
        if (text is not null) _text.Append(Html.Encode(text));
    }

    public void AppendFormatted<T>(T value) where T : IFormattable => AppendFormatted(value.ToString(null, CultureInfo.InvariantCulture));

    public void AppendFormatted<T>(T value, string format) where T : IFormattable => AppendFormatted(value.ToString(format, CultureInfo.InvariantCulture));

    internal Markup Close() => new(_text.ToString());
}
