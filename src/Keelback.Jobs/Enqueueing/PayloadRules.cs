namespace Keelback.Jobs;

/// <summary>What may be stored as a payload or a result; looked at before any row is written.</summary>
internal static class PayloadRules
{
    /// <summary>Bytes of UTF-8 JSON, where <see cref="JobsOptions.MaxPayload"/> says nothing else.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Of one report: it is written again and again.</summary>
    public const int MaxProgressBytes = 64 * 1024;

    /// <exception cref="KeelbackException">KB1206.</exception>
    public static void CheckSize(string kind, int bytes, int most)
    {
        if (bytes > most) throw JobErrors.PayloadTooLarge(kind, bytes, most);
    }

    /// <exception cref="KeelbackException">KB1207.</exception>
    public static void CheckPayload(string kind, ReadOnlySpan<byte> json)
    {
        if (HasUnstorableEscape(json)) throw JobErrors.PayloadHasNul(kind);
    }

    /// <exception cref="KeelbackException">KB1212, KB1213.</exception>
    public static void CheckResult(string kind, ReadOnlySpan<byte> json, int most)
    {
        if (json.Length > most) throw JobErrors.ResultTooLarge(kind, json.Length, most);
        if (HasUnstorableEscape(json)) throw JobErrors.ResultNotStorable(kind, "it holds a NUL character.");
    }

    /// <exception cref="KeelbackException">KB1272.</exception>
    public static void CheckProgress(string kind, ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxProgressBytes || HasUnstorableEscape(json)) throw JobErrors.BadProgress(kind, json.Length);
    }

    // jsonb refuses \u0000 and half surrogate pairs. A backslash counts as the start of an escape only after an even number of others.
    private static bool HasUnstorableEscape(ReadOnlySpan<byte> json)
    {
        for (var i = json.IndexOf((byte)'\\'); i >= 0 && i + 1 < json.Length;)
        {
            if (json[i + 1] == (byte)'u' && i + 6 <= json.Length)
            {
                var code = Hex(json.Slice(i + 2, 4));
                if (code == 0) return true;
                if (code is >= 0xDC00 and <= 0xDFFF) return true; // a low half without its high half
                if (code is >= 0xD800 and <= 0xDBFF)
                {
                    if (i + 12 > json.Length || json[i + 6] != (byte)'\\' || json[i + 7] != (byte)'u'
                        || Hex(json.Slice(i + 8, 4)) is not (>= 0xDC00 and <= 0xDFFF))
                        return true;
                    i += 6;
                }
            }

            var from = i + 2;
            var next = from < json.Length ? json[from..].IndexOf((byte)'\\') : -1;
            i = next < 0 ? -1 : from + next;
        }

        return false;
    }

    private static int Hex(ReadOnlySpan<byte> digits) =>
        System.Buffers.Text.Utf8Parser.TryParse(digits, out int code, out var read, 'x') && read == 4 ? code : -1;
}
