using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

internal static class OperatingGuide
{
    public static async Task<int> RunAsync(string[] args, Action<WebApplication> built)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddKeelback().AddOps(o => o.Policy = "operators");   // or Keelback:Ops:Policy in the settings
        builder.Services.AddAuthentication().AddCookie();
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", p => p.RequireRole("operator"));

        var app = builder.Build();
        app.UseKeelback();
        built(app);
        return await app.RunKeelbackAsync(args);
    }
}
