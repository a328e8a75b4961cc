using System.Diagnostics;

namespace Keelback.Postgres.Guardian;

/// <summary>Locks on files, which the system releases when their process ends, however it ends.</summary>
/// <remarks>.NET's share modes: flock on Unix, the file system's own on Windows.</remarks>
internal static class FileLock
{
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(20);

    public static FileStream? TryShared(string file) => Try(file, FileAccess.Read, FileShare.Read);

    public static FileStream? TryAlone(string file) => Try(file, FileAccess.ReadWrite, FileShare.None);

    /// <exception cref="ClusterException">KB1025: someone else has it for too long.</exception>
    public static Task<FileStream> SharedAsync(string file, TimeSpan patience, CancellationToken ct) => WaitAsync(TryShared, file, patience, ct);

    /// <exception cref="ClusterException">KB1025: someone else has it for too long.</exception>
    public static Task<FileStream> AloneAsync(string file, TimeSpan patience, CancellationToken ct) => WaitAsync(TryAlone, file, patience, ct);

    private static FileStream? Try(string file, FileAccess access, FileShare share)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, access, share, bufferSize: 0);
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
    }

    // EWOULDBLOCK as Linux and as macOS count it; Windows' sharing violation. Anything else, such as a full disk, is for the caller.
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) == 32 : e.HResult is 11 or 35;

    private static async Task<FileStream> WaitAsync(Func<string, FileStream?> take, string file, TimeSpan patience, CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            if (take(file) is { } taken) return taken;
            if (Stopwatch.GetElapsedTime(begun) > patience) throw ClusterErrors.Busy(file, patience);

            await Task.Delay(s_between, TimeProvider.System, ct);
        }
    }
}
