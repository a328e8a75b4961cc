using System.Net;
using Keelback.Resources.Tests.Shop;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Resources.Tests;

/// <summary>A database that cannot be asked now is told from a mistake: 503.</summary>
public sealed class AwayTests
{
    [Fact]
    public async Task A_pool_without_a_free_connection()
    {
        await using var database = await TestDatabase.CreateAsync(ShopApp.Template);
        await using var pool = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1, Timeout = 1 });
        await using var app = await StartAsync(pool);
        await using (await pool.OpenConnectionAsync())
        {
            var answer = await app.GetTestClient().GetAsync("/genres/1");

            await answer.ShouldBeProblem(503);
        }

        Assert.Equal(HttpStatusCode.OK, (await app.GetTestClient().GetAsync("/genres/1")).StatusCode);
    }

    [Fact]
    public async Task A_connection_that_the_server_ended()
    {
        await using var database = await TestDatabase.CreateAsync(ShopApp.Template);
        await using var pool = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1, ApplicationName = "ended" });
        await using var app = await StartAsync(pool);
        await app.GetTestClient().GetAsync("/genres/1");
        await using (var end = database.DataSource.CreateCommand(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and application_name = 'ended'"))
            Assert.Equal(true, await end.ExecuteScalarAsync());

        var answer = await app.GetTestClient().GetAsync("/genres/1");

        await answer.ShouldBeProblem(503);
    }

    private static async Task<WebApplication> StartAsync(NpgsqlDataSource pool)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        ShopApp.AddShop(builder, pool);

        var app = builder.Build();
        app.UseProblems();
        app.MapResource<GenreResource>("/genres").AllowAnonymous();
        await app.StartAsync();
        return app;
    }
}
