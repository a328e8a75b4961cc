using System.Diagnostics;
using Keelback.Postgres.Guardian;

namespace Keelback.Postgres.Tests;

/// <summary>What was killed, left behind or broken, and what becomes of it.</summary>
public sealed class ClusterRepairTests : IAsyncLifetime
{
    private readonly ClusterPlace _place = new();

    public static TheoryData<string?> Versions => ClusterPlace.Versions();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _place.EndAsync();

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_server_that_crashed_is_restarted_on_its_port_while_it_is_used(string? binaries)
    {
        var folder = _place.Folder();
        var (_, url) = await _place.StartUserAsync(folder, binaries);
        var crashed = Postmaster.Read(folder.Data)!;

        KillServer(crashed.ProcessId);

        await ClusterPlace.UntilAsync(() => Postmaster.Read(folder.Data) is { IsReady: true } now && now.ProcessId != crashed.ProcessId, "The restart");
        Assert.Equal(1, await ClusterPlace.ScalarAsync<int>(url, "select 1"));
    }

    [Fact]
    public async Task A_killed_guardian_is_replaced_by_the_next_who_joins()
    {
        var folder = _place.Folder();
        await _place.StartUserAsync(folder);
        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder).Count == 1, "The first guardian");
        var killed = ClusterPlace.Guardians(folder)[0];

        using (var guardian = Process.GetProcessById(killed)) ClusterPlace.Kill(guardian);
        await _place.StartUserAsync(folder);

        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder) is [var now] && now != killed, "Another guardian");
    }

    [Fact]
    public async Task A_guardian_that_would_be_the_second_leaves()
    {
        var folder = _place.Folder();
        await _place.StartUserAsync(folder);
        await ClusterPlace.UntilAsync(() => FileLock.TryAlone(folder.Guardian) is null, "The guardian's lock");

        await Guard.RunAsync(folder, "unused").WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_stale_postmaster_file_does_not_hinder_even_when_another_program_has_its_process_id()
    {
        var folder = _place.Folder();
        var (user, _) = await _place.StartUserAsync(folder);
        var lines = await File.ReadAllLinesAsync(Path.Combine(folder.Data, "postmaster.pid"));
        ClusterPlace.Kill(user);
        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder).Count == 0, "The guardian's end");

        // Of the server's account, or PostgreSQL would see by itself that it cannot be the old server.
        using var stranger = StartAsServer("sleep", "300");
        await WriteAsServerAsync(Path.Combine(folder.Data, "postmaster.pid"), string.Join('\n', [$"{stranger.Id}", .. lines[1..]]) + "\n");
        try
        {
            var (_, url) = await _place.StartUserAsync(folder);
            Assert.Equal(1, await ClusterPlace.ScalarAsync<int>(url, "select 1"));
            Assert.False(stranger.HasExited);
        }
        finally
        {
            ClusterPlace.Kill(stranger);
        }
    }

    [Fact]
    public async Task An_attempt_that_was_broken_off_leaves_no_cluster_and_no_rubbish()
    {
        var folder = _place.Folder();
        Directory.CreateDirectory(Path.Combine(folder.Server, "new-0123"));
        await File.WriteAllTextAsync(Path.Combine(folder.Server, "new-0123", "PG_VERSION"), "15");

        var (_, url) = await _place.StartUserAsync(folder);

        Assert.Equal(1, await ClusterPlace.ScalarAsync<int>(url, "select 1"));
        Assert.Equal(["data"], Directory.GetDirectories(folder.Server).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_keeps_the_server_from_starting_is_in_the_message()
    {
        var folder = _place.Folder();
        var (user, _) = await _place.StartUserAsync(folder);
        ClusterPlace.Kill(user);
        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder).Count == 0, "The guardian's end");
        await File.AppendAllTextAsync(Path.Combine(folder.Data, "postgresql.conf"), "no_such_setting = 1\n");

        var e = await Assert.ThrowsAsync<ClusterException>(() => PrivateCluster.JoinAsync(folder, null, default));

        Assert.Equal("KB1024", e.Code);
        Assert.Contains("unrecognized configuration parameter \"no_such_setting\"", e.Message);
    }

    [Fact]
    public async Task A_cluster_of_a_version_that_is_gone_says_which_one_it_needs()
    {
        var folder = _place.Folder();
        Directory.CreateDirectory(folder.Data);
        await File.WriteAllTextAsync(Path.Combine(folder.Data, "PG_VERSION"), "9\n");

        var e = await Assert.ThrowsAsync<ClusterException>(() => PrivateCluster.JoinAsync(folder, null, default));

        Assert.Equal("KB1022", e.Code);
        Assert.StartsWith("The project's private cluster was made by PostgreSQL 9, and only ", e.Message);
    }

    [Fact]
    public async Task A_folder_without_the_programs_is_named()
    {
        var e = await Assert.ThrowsAsync<ClusterException>(() => PrivateCluster.JoinAsync(_place.Folder(), "/nowhere", default));

        Assert.Equal("KB1021", e.Code);
        Assert.Equal(
            "Keelback:Postgres:Binaries names '/nowhere', which has no initdb. Name the folder that holds initdb, pg_ctl and postgres.",
            e.Message);
    }

    private static void KillServer(int id)
    {
        using var server = Process.GetProcessById(id);
        server.Kill();
    }

    private static Process StartAsServer(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = "/" };
        if (ServerAccount.Name() is { } account) start.UserName = account;
        return Process.Start(start)!;
    }

    private static async Task WriteAsServerAsync(string file, string text)
    {
        var start = new ProcessStartInfo("sh", ["-c", "umask 077; cat > \"$0\"", file]) { RedirectStandardInput = true, WorkingDirectory = "/" };
        if (ServerAccount.Name() is { } account) start.UserName = account;
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(text);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
    }
}
