using Npgsql;

namespace Keelback.Postgres.Tests;

/// <summary>Real servers, real processes, real kills.</summary>
public sealed class PrivateClusterTests : IAsyncLifetime
{
    private readonly ClusterPlace _place = new();

    public static TheoryData<string?> Versions => ClusterPlace.Versions();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _place.EndAsync();

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_second_process_joins_the_server_of_the_first(string? binaries)
    {
        var folder = _place.Folder();

        var (_, first) = await _place.StartUserAsync(folder, binaries);
        var (_, second) = await _place.StartUserAsync(folder, binaries);

        Assert.Equal(first, second);
        Assert.InRange(new Uri(second).Port, 1024, 32767);
        Assert.Equal(
            ("127.0.0.1", "on", "on", "scram-sha-256"),
            (await ClusterPlace.ScalarAsync<string>(first, "show listen_addresses"),
             await ClusterPlace.ScalarAsync<string>(first, "show fsync"),
             await ClusterPlace.ScalarAsync<string>(first, "show synchronous_commit"),
             await ClusterPlace.ScalarAsync<string>(first, "select string_agg(distinct auth_method, ',') from pg_hba_file_rules")));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Processes_that_start_at_once_make_one_cluster(string? binaries)
    {
        var folder = _place.Folder();

        var urls = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _place.StartUserAsync(folder, binaries)));

        Assert.Single(urls.Select(u => u.Url).Distinct());
        Assert.Equal(["data"], Directory.GetDirectories(folder.Server).Select(Path.GetFileName));
        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder).Count == 1, "One guardian, no more");
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task The_server_stops_after_the_last_user_was_killed_and_keeps_what_was_committed(string? binaries)
    {
        var folder = _place.Folder();
        var (first, url) = await _place.StartUserAsync(folder, binaries);
        var (second, _) = await _place.StartUserAsync(folder, binaries);
        await ClusterPlace.ScalarAsync<long>(url, "create table kept (n bigint); insert into kept values (7) returning n");

        ClusterPlace.Kill(first);
        Assert.Equal(7L, await ClusterPlace.ScalarAsync<long>(url, "select n from kept"));
        ClusterPlace.Kill(second);

        await ClusterPlace.UntilAsync(() => !ClusterPlace.IsRunning(folder), "The server's end");
        await ClusterPlace.UntilAsync(() => ClusterPlace.Guardians(folder).Count == 0, "The guardian's end");
        var (_, again) = await _place.StartUserAsync(folder, binaries);
        Assert.Equal(7L, await ClusterPlace.ScalarAsync<long>(again, "select n from kept"));
    }

    [Fact]
    public async Task Another_project_gets_another_server()
    {
        var (_, shop) = await _place.StartUserAsync(_place.Folder("shop"));
        var (_, blog) = await _place.StartUserAsync(_place.Folder("blog"));

        Assert.NotEqual(new Uri(shop).Port, new Uri(blog).Port);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ClusterPlace.ScalarAsync<int>(
            new UriBuilder(shop) { Port = new Uri(blog).Port }.Uri.AbsoluteUri, "select 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Fact]
    public async Task The_password_is_for_this_user_alone()
    {
        if (OperatingSystem.IsWindows()) return; // there the folder's own access list keeps others out

        var folder = _place.Folder();
        await _place.StartUserAsync(folder);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Password));
    }
}
