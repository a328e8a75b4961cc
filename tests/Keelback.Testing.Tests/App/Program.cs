using System.Security.Claims;
using Keelback;
using Keelback.Jobs;
using Keelback.Testing.Tests.App;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

var builder = WebApplication.CreateBuilder(args);
builder.AddKeelback<ShopDb>();
builder.Services.AddHostedService<CreateTables>().AddSingleton<Greeting>();

var app = builder.Build();
app.UseKeelback();
app.MapPost("/sales", async (Order order, ShopDb db, Greeting greeting) =>
{
    var sale = new Sale { AlbumId = order.AlbumId, Quantity = order.Quantity };
    db.Sales.Add(sale);
    db.Enqueue(() => Receipts.Send(sale.Id));
    db.Enqueue(() => Receipts.Remind(sale.Id).With(new EnqueueOptions { Delay = TimeSpan.FromDays(7) }));
    db.OnCommit(_ =>
    {
        greeting.Said.Add($"sold {order.Quantity}");
        return Task.CompletedTask;
    });
    await db.SaveChangesAsync();
    return Results.Created($"/sales/{sale.Id}", new { sale.Id });
});
app.MapGet("/sales", async (ShopDb db) => await db.Sales.CountAsync());
app.MapGet("/me", (ClaimsPrincipal user) => $"{user.Identity!.Name} admin={user.IsInRole("admin")}").RequireAuthorization();
app.MapGet("/broken", () => Results.Problem("the till is empty", statusCode: 409));
app.MapGet("/greeting", (Greeting greeting) => greeting.Text);
return await app.RunKeelbackAsync(args);
