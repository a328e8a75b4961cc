namespace Keelback.Web;

/// <summary>A Content-Security-Policy's text.</summary>
internal static class CspPolicy
{
    /// <summary>The policy that lets inline scripts and styles with this nonce run.</summary>
    /// <remarks>A browser heeds the first directive of a name alone, so the nonce joins the one that is there.</remarks>
    public static string With(string policy, CspNonce nonce)
    {
        var directives = policy.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList();
        Allow("script-src");
        Allow("style-src");
        return string.Join("; ", directives);

        void Allow(string name)
        {
            var at = directives.FindIndex(d => Name(d).Equals(name, StringComparison.OrdinalIgnoreCase));
            if (at < 0) directives.Add($"{name} 'self' 'nonce-{nonce.Value}'");
            else directives[at] = $"{WithoutNone(directives[at])} 'nonce-{nonce.Value}'";
        }
    }

    private static string Name(string directive) => directive.Split(' ', 2)[0];

    // 'none' beside another source means nothing.
    private static string WithoutNone(string directive) =>
        string.Join(' ', directive.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(s => !s.Equals("'none'", StringComparison.OrdinalIgnoreCase)));
}
