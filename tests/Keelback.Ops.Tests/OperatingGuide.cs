using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

internal static class OperatingGuide
{
    public static async Task<int> RunAsync(string[] args, Action<WebApplication> built)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddKeelback().AddOps(o => o.Policy = "operators");   // or Keelback:Ops:Policy in the settings
        builder.Services.AddAuthentication().AddCookie(o => o.LoginPath = "/login");
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", p => p.RequireRole("operator"));
        builder.Services.AddDataProtection()
            .SetApplicationName("store")                             // else the keys hold for one content root alone
            .PersistKeysToFileSystem(new DirectoryInfo(builder.Configuration["KeyFolder"] ?? "/var/lib/store/keys"));

        var app = builder.Build();
        app.UseKeelback();

        app.MapGet("/login", () => Results.Content(
            """<form method="post"><input name="name"> <input name="password" type="password"> <button>Log in</button></form>""", "text/html")).AllowAnonymous();
        app.MapPost("/login", async (HttpContext http) =>
        {
            var form = await http.Request.ReadFormAsync();
            var (name, password) = (form["name"].ToString(), form["password"].ToString());
            var right = app.Configuration[$"Operators:{name}"];      // a long random one for each: Operators__ada in the environment
            if (string.IsNullOrEmpty(right) || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(right), Encoding.UTF8.GetBytes(password)))
                return Results.Redirect("/login");

            Claim[] claims = [new(ClaimTypes.Name, name), new(ClaimTypes.Role, "operator")];
            await http.SignInAsync(new(new ClaimsIdentity(claims, "password")));
            return Results.Redirect("/ops/jobs");
        }).AllowAnonymous();
        built(app);
        return await app.RunKeelbackAsync(args);
    }
}
