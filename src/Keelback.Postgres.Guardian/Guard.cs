using System.Runtime.InteropServices;

namespace Keelback.Postgres.Guardian;

/// <summary>The guardian's work: restarts a server that crashed while it is used, and stops it when nobody uses it any more.</summary>
internal static partial class Guard
{
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(500);

    // Six free looks: three seconds, long enough for `dotnet watch` and for the next test project.
    private const int LooksBeforeStop = 6;

    public static async Task RunAsync(ClusterFolder folder, string binaries)
    {
        LeaveTheTerminal();
        var alone = FileLock.TryAlone(folder.Guardian);
        if (alone is null) return; // another is on watch

        var server = new ClusterServer(folder, new Binaries(binaries, 0));
        for (var free = 0; ;)
        {
            await Task.Delay(s_between, TimeProvider.System);
            if (!Directory.Exists(folder.Data)) return; // nothing left to guard

            using var users = FileLock.TryAlone(folder.Users);
            if (users is null)
            {
                free = 0;
                await ReviveAsync(folder, server);
                continue;
            }

            if (++free < LooksBeforeStop) continue;

            // Nobody can take a seat while we hold the lock alone.
            await server.StopAsync(CancellationToken.None);

            // Off watch before seats are to be had again: whoever takes one must see that there is no guardian.
            await alone.DisposeAsync();
            return;
        }
    }

    private static async Task ReviveAsync(ClusterFolder folder, ClusterServer server)
    {
        if (Postmaster.Read(folder.Data) is not null) return;

        await using var starting = FileLock.TryAlone(folder.Starting);
        if (starting is null || Postmaster.Read(folder.Data) is not null) return;

        try
        {
            await server.EnsureRunningAsync(CancellationToken.None);
        }
        catch (ClusterException)
        {
            // The server's log has the reason; the next look tries again.
        }
    }

    /// <summary>Out of the terminal's session, so that Ctrl-C in one process of the project does not end the guardian of all.</summary>
    private static void LeaveTheTerminal()
    {
        if (OperatingSystem.IsWindows()) return; // started without a console

        _ = SetSession();
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
            s_ignored.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = true));
    }

    // A registration ends when it is collected.
    private static readonly List<PosixSignalRegistration> s_ignored = [];

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();
}
