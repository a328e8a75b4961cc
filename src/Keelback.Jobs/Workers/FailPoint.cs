using System.Diagnostics;

namespace Keelback.Jobs;

/// <summary>Kills this process at a named place, for tests of what a crash leaves behind.</summary>
/// <remarks>
/// Off unless <c>KEELBACK_FAILPOINTS</c> names a folder. A file there with the name of a place arms it: whichever process gets to
/// that place first takes the file away and dies, so that one file is one death.
/// </remarks>
internal static class FailPoint
{
    public const string AfterClaim = "after_claim";
    public const string BeforeEffect = "before_effect";
    public const string BeforeCommit = "before_commit";
    public const string AfterCommit = "after_commit";
    public const string TickInsert = "tick_insert";

    /// <summary>Completions that others wait for have been sent; whether they are committed is not yet known.</summary>
    public const string ChordLast = "chord_last";

    private static readonly string? s_folder = Environment.GetEnvironmentVariable("KEELBACK_FAILPOINTS");

    public static bool AreOn => s_folder is not null;

    public static void Hit(string name)
    {
        if (s_folder is null || !IsMine(Path.Combine(s_folder, name))) return;

        // Kill is SIGKILL, or TerminateProcess: no handler runs, no buffer is flushed.
        Process.GetCurrentProcess().Kill();
    }

    private static bool IsMine(string file)
    {
        if (!File.Exists(file)) return false;
        try
        {
            File.Move(file, $"{file}.{Environment.ProcessId}");
            return true;
        }
        catch (IOException)
        {
            return false; // another was there first
        }
    }
}
