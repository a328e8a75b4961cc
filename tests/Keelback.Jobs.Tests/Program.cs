namespace Keelback.Jobs.Tests;

/// <summary>The process that the crash tests kill and freeze. The test runner never calls it.</summary>
internal static class Program
{
    public static Task Main(string[] args) => Payments.ServeAsync(connection: args[0], lease: TimeSpan.Parse(args[1], null));
}
