using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Testing.Tests.App;

public sealed record Order(long AlbumId, int Quantity);

public sealed class Greeting
{
    public string Text { get; init; } = "hello";

    public List<string> Said { get; } = [];
}

/// <summary>In place of migrations.</summary>
internal sealed class CreateTables(IServiceScopeFactory scopes) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
        var there = await db.Database.SqlQuery<bool>($"select to_regclass('sales') is not null as \"Value\"").SingleAsync(cancellationToken);
        if (!there) await db.Database.ExecuteSqlRawAsync(db.Database.GenerateCreateScript(), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
