namespace Keelback.Jobs.Tests;

/// <summary>The processes that the crash tests kill and freeze. The test runner never calls it.</summary>
internal static class Program
{
    public static Task Main(string[] args) => args[0] == "schedules"
        ? Schedules.KilledTickerTests.ServeAsync(connection: args[1])
        : Payments.ServeAsync(connection: args[0], lease: TimeSpan.Parse(args[1], null));
}
