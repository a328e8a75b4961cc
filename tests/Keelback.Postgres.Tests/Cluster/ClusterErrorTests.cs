using Keelback.Postgres.Guardian;

namespace Keelback.Postgres.Tests;

/// <summary>Why a private cluster cannot be had, in whole sentences.</summary>
public sealed class ClusterErrorTests : IAsyncLifetime
{
    private readonly ClusterPlace _place = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _place.EndAsync();

    [Fact]
    public async Task Where_no_postgresql_is_installed_the_places_are_named()
    {
        var e = await Assert.ThrowsAsync<ClusterException>(() => Binaries.AmongAsync([_place.Root], ["the PATH", _place.Root], null, "unused", default));

        Assert.Equal("KB1020", e.Code);
        Assert.Equal($"No PostgreSQL to start a private cluster with: initdb, pg_ctl and postgres are in none of the PATH, {_place.Root}. " +
            "Install PostgreSQL 15 or later (Debian: apt install postgresql; macOS: brew install postgresql; in this repository: ./dev setup), " +
            "name its bin folder in Keelback:Postgres:Binaries, or configure a server in ConnectionStrings:Keelback.", e.Message);
    }

    [Theory]
    [InlineData("echo 'postgres (PostgreSQL) 15.1'", "initdb")]
    [InlineData("echo 'no such library' >&2; exit 3", "postgres")]
    public async Task A_program_that_fails_is_quoted(string postgres, string failing)
    {
        var binaries = Programs(postgres, others: "echo 'no such library' >&2; exit 3");

        var e = await Assert.ThrowsAsync<ClusterException>(() => PrivateCluster.JoinAsync(_place.Folder(), binaries, default));

        Assert.Equal("KB1023", e.Code);
        Assert.Equal($"PostgreSQL's {failing} failed with exit code 3: no such library Correct what it names, and start again.", e.Message);
    }

    [Fact]
    public async Task A_lock_that_is_held_for_too_long_is_named()
    {
        var file = Path.Combine(_place.Root, "starting.lock");
        await using var held = FileLock.TryAlone(file);

        var e = await Assert.ThrowsAsync<ClusterException>(() => FileLock.AloneAsync(file, TimeSpan.Zero, default));

        Assert.Equal("KB1025", e.Code);
        Assert.Equal($"Another process has held '{file}' for 0 s. It starts or stops this project's private cluster; end it if it hangs.", e.Message);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_named_with_the_reason()
    {
        var file = Path.Combine(_place.Root, "file");
        await File.WriteAllTextAsync(file, "");
        var folder = new ClusterFolder(Path.Combine(file, "shop"));

        var e = await Assert.ThrowsAsync<ClusterException>(() => PrivateCluster.JoinAsync(folder, null, default));

        Assert.Equal("KB1026", e.Code);
        Assert.Equal($"The private cluster's folder '{folder.Path}' cannot be used: {e.InnerException!.Message} Give this user the right to write there.", e.Message);
    }

    [Fact]
    public void Where_there_is_no_dotnet_host_the_way_out_is_named()
    {
        var e = Assert.Throws<ClusterException>(() => GuardianProcess.FirstOf(null, Path.Combine(_place.Root, "dotnet")));

        Assert.Equal("KB1027", e.Code);
        Assert.Equal("The dotnet host was not found, and the private cluster's guardian runs on it. " +
            "Set DOTNET_ROOT, or configure a server in ConnectionStrings:Keelback.", e.Message);
    }

    [Fact]
    public void Root_needs_another_account_to_run_the_server_as()
    {
        Assert.Equal("postgres", ServerAccount.ForRoot(["root:x:0:0", "nobody:x:65534:65534", "postgres:x:100:100"]));
        Assert.Equal("nobody", ServerAccount.ForRoot(["root:x:0:0", "nobody:x:65534:65534"]));

        var e = Assert.Throws<ClusterException>(() => ServerAccount.ForRoot(["root:x:0:0", "nobody-else:x:1:1"]));

        Assert.Equal("KB1028", e.Code);
        Assert.Equal("This process is root, and PostgreSQL refuses to run as root; there is neither a user 'postgres' nor 'nobody' to run it as. " +
            "Create a user 'postgres', or start the app as an ordinary user.", e.Message);
    }

    private string Programs(string postgres, string others)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_place.Root, "bin")).FullName;
        foreach (var (name, body) in new[] { ("postgres", postgres), ("initdb", others), ("pg_ctl", others) })
        {
            var file = Path.Combine(folder, name);
            File.WriteAllText(file, $"#!/bin/sh\n{body}\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101); // the server's account runs them too
        }

        return folder;
    }
}
