namespace Keelback.Jobs.Tests;

/// <summary>The process that the crash tests kill. The test runner never calls it.</summary>
internal static class Program
{
    public static void Main()
    {
    }
}
