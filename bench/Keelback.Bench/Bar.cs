using System.Globalization;

namespace Keelback.Bench;

/// <summary>What a comparison must reach: a share of the floor's speed, or at most so many times the floor's time.</summary>
internal readonly record struct Bar(double Value, bool IsOfTime)
{
    public static readonly Bar None = AtLeast(0);

    public static Bar AtLeast(double share) => new(share, IsOfTime: false);

    public static Bar AtMost(double times) => new(times, IsOfTime: true);

    /// <param name="speed">Keelback's speed over the floor's.</param>
    public bool IsMetBy(double speed) => Value <= 0 || (IsOfTime ? 1 / speed <= Value : speed >= Value);

    /// <summary>The ratio as the bar speaks of it.</summary>
    public double Of(double speed) => IsOfTime ? 1 / speed : speed;

    public override string ToString() =>
        Value <= 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"{(IsOfTime ? "≤" : "≥")} {Value:0.##}");
}
