using System.Diagnostics;

namespace Keelback.Jobs;

/// <summary>Kills this process at a named place, for tests of what a crash leaves behind. Off unless <c>KEELBACK_FAILPOINT</c> names the place.</summary>
internal static class FailPoint
{
    public const string AfterClaim = "after_claim";
    public const string BeforeEffect = "before_effect";
    public const string BeforeCommit = "before_commit";
    public const string AfterCommit = "after_commit";

    private static readonly string? s_armed = Environment.GetEnvironmentVariable("KEELBACK_FAILPOINT");

    public static void Hit(string name)
    {
        // Kill is SIGKILL, or TerminateProcess: no handler runs, no buffer is flushed.
        if (s_armed == name) Process.GetCurrentProcess().Kill();
    }
}
