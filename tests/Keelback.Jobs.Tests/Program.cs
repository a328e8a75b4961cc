namespace Keelback.Jobs.Tests;

/// <summary>The processes that tests kill, freeze and end. The test runner never calls it.</summary>
internal static class Program
{
    public static Task Main(string[] args) => args[0] switch
    {
        "schedules" => Schedules.KilledTickerTests.ServeAsync(connection: args[1]),
        "signals" => SignalTests.ServeAsync(connection: args[1]),
        "killer" => CrashTests.ServeAsync(connection: args[1]),
        "chords" => Chords.ServeAsync(connection: args[1]),
        _ => Payments.ServeAsync(connection: args[0], lease: TimeSpan.Parse(args[1], null)),
    };
}
