namespace Keelback.Jobs;

/// <summary>The numbers of a limit, for each of its keys; all that are given hold at once.</summary>
/// <param name="Slots">At most so many at once, over all workers. A retry's wait and a wait for another limit hold none.</param>
/// <param name="PerSecond">At most so many starts in any second, wherever one begins to count.</param>
/// <param name="PerMinute">At most so many starts in any minute.</param>
/// <param name="PerHour">At most so many starts in any hour.</param>
/// <param name="PerDay">At most so many starts in any 24 hours.</param>
/// <remarks>Starts are counted in twentieths of their window, each until it is wholly over: no window ever has more, and on the long run up to 5 % fewer start.</remarks>
public sealed record JobLimit(int? Slots = null, int? PerSecond = null, int? PerMinute = null, int? PerHour = null, int? PerDay = null)
{
    private IEnumerable<(string Name, int? Number, long Window)> Rates =>
        [(nameof(PerSecond), PerSecond, 1000), (nameof(PerMinute), PerMinute, 60_000), (nameof(PerHour), PerHour, 3_600_000), (nameof(PerDay), PerDay, 86_400_000)];

    internal int[] Starts => [.. Rates.Where(r => r.Number is not null).Select(r => r.Number!.Value)];

    /// <summary>In milliseconds.</summary>
    internal long[] Windows => [.. Rates.Where(r => r.Number is not null).Select(r => r.Window)];

    internal static JobLimit From(int? slots, int[] starts, long[] windows)
    {
        int? Of(long window) => Array.IndexOf(windows, window) is >= 0 and var i ? starts[i] : null;
        return new(slots, Of(1000), Of(60_000), Of(3_600_000), Of(86_400_000));
    }

    /// <summary>What is wrong with the numbers; null: nothing.</summary>
    internal string? Mistake()
    {
        foreach (var (name, number, _) in Rates.Prepend((nameof(Slots), Slots, 0)))
            if (number < 1) return $"its {name} ({number}) must be 1 or more.";

        return Slots is null && Starts.Length == 0 ? "it has no number: give it Slots, PerSecond, PerMinute, PerHour or PerDay." : null;
    }
}
