using System.Globalization;
using System.Text.RegularExpressions;

namespace Keelback.Jobs;

/// <summary>How long something lasts, as attributes and rules write it: <c>hh:mm:ss</c>, with days <c>d.hh:mm:ss</c>.</summary>
/// <remarks>Exactly so, as the generator has it: .NET reads "30" as 30 days and "24:00:00" as 24, and whoever wrote it meant seconds and hours.</remarks>
internal static partial class JobDuration
{
    /// <summary>Null: nothing is said, or what does not read.</summary>
    public static TimeSpan? Parse(string? text) =>
        text is not null && Shape().IsMatch(text) && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var duration) ? duration : null;

    /// <summary>Null: nothing is said. What does not read is told by <paramref name="refused"/>.</summary>
    public static TimeSpan? Parse(string? text, string member, Func<string, KeelbackException> refused) =>
        text is null ? null : Parse(text) ?? throw refused($"{member} {Mistake(text)}");

    public static string Mistake(string text) => $"('{text}') is not a duration. Write it as hh:mm:ss, or d.hh:mm:ss where it has days.";

    [GeneratedRegex(@"^(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d{1,7})?$", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
