using System.Text.RegularExpressions;

namespace Keelback;

/// <summary>Keeps secrets out of what is printed, by the setting's name and by the look of its value.</summary>
internal static partial class SecretMask
{
    public const string Mask = "****";

    public static string Value(string path, string value)
    {
        if (value.Length == 0) return value;
        if (SecretName().IsMatch(path)) return Mask;

        return PasswordInPairs().Replace(PasswordInUrl().Replace(value, $"$1{Mask}@"), $"$1{Mask}");
    }

    [GeneratedRegex("password|passwd|pwd|secret|token|credential|api_?key|private_?key|access_?key|signing_?key|(^|:|_)(pass|key)$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"(\w+://[^:/@\s]*:)[^\s]+@")]
    private static partial Regex PasswordInUrl();

    [GeneratedRegex(@"((?:password|pwd|secret|accountkey)\s*=\s*)(""[^""]*""|'[^']*'|[^;]*)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordInPairs();
}
