using System.Globalization;
using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>One of the numbers that a limit may have, by the name that it has in JSON and in the form.</summary>
internal sealed record LimitNumber(string Name, string Words, Func<JobLimit, int?> Of, Func<JobLimit, int?, JobLimit> With);

/// <summary>The numbers of a limit as a person reads and writes them.</summary>
internal static class LimitNumbers
{
    public static readonly IReadOnlyList<LimitNumber> All =
    [
        new("slots", "at once", n => n.Slots, (n, to) => n with { Slots = to }),
        new("perSecond", "per second", n => n.PerSecond, (n, to) => n with { PerSecond = to }),
        new("perMinute", "per minute", n => n.PerMinute, (n, to) => n with { PerMinute = to }),
        new("perHour", "per hour", n => n.PerHour, (n, to) => n with { PerHour = to }),
        new("perDay", "per day", n => n.PerDay, (n, to) => n with { PerDay = to }),
    ];

    /// <summary><c>5 at once, 10 per second</c>.</summary>
    public static string Words(JobLimit numbers) => string.Join(", ",
        from number in All
        where number.Of(numbers) is not null
        select $"{number.Of(numbers)!.Value.ToString("N0", CultureInfo.InvariantCulture)} {number.Words}");

    /// <summary>What is not among the changes stays as it is; null takes a number away.</summary>
    public static JobLimit Changed(JobLimit numbers, IReadOnlyDictionary<string, int?> changes) =>
        All.Where(number => changes.ContainsKey(number.Name)).Aggregate(numbers, (now, number) => number.With(now, changes[number.Name]));

    public static string Json(JobLimit numbers) => JsonSerializer.Serialize(numbers, OpsJson.Options);

    /// <summary>A number that a person typed; <paramref name="none"/> takes it away.</summary>
    /// <exception cref="KeelbackException">KB1731: it is none.</exception>
    public static int? Parse(string text, string none) => text == none ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw OpsErrors.BadLimitNumber(text);
}
