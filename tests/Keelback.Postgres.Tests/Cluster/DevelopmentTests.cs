using Keelback.Postgres.Guardian;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class DevelopmentTests : IAsyncLifetime
{
    private readonly string _project = Directory.CreateTempSubdirectory("kb-development-").FullName;

    private ClusterFolder Folder => ClusterFolder.For(ProjectFolder.Of(_project));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (Directory.Exists(Folder.Path)) await ClusterPlace.RemoveAsync(Folder);
        Directory.Delete(_project, recursive: true);
    }

    [Fact]
    public async Task In_Development_with_nothing_configured_an_app_runs_on_its_projects_own_cluster()
    {
        using (var host = HostIn("Development"))
        {
            await host.StartAsync();

            await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
                "select current_database() || ' ' || (select count(*) from keelback.clock_offset)");
            Assert.Equal("app 0", await command.ExecuteScalarAsync());
            Assert.Null(FileLock.TryAlone(Folder.Users));
            await host.StopAsync();
        }

        using var free = FileLock.TryAlone(Folder.Users);
        Assert.NotNull(free);
    }

    [Fact]
    public async Task In_Production_with_nothing_configured_the_start_says_what_to_set()
    {
        using var host = HostIn("Production");

        var e = await Assert.ThrowsAsync<KeelbackException>(() => host.StartAsync());

        Assert.Equal(
            "KB1001: No PostgreSQL is configured, and a private cluster is started in Development only; this is Production. " +
            "Set ConnectionStrings:Keelback or DATABASE_URL.", e.Message);
    }

    private IHost HostIn(string environment)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = environment, ContentRootPath = _project });
        new KeelbackBuilder(builder).AddPostgres();
        return builder.Build();
    }
}
