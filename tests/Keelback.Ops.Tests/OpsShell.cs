using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using TestDatabase = Keelback.Testing.TestDatabase;

namespace Keelback.Ops.Tests;

/// <summary>An app's command line, run as its <c>Program.cs</c> runs it.</summary>
internal static class OpsShell
{
    public static async Task<(int Code, string Out, string Error)> RunAsync(TestDatabase database, Action<IServiceCollection> services, params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", ApplicationName = "test" });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(NpgsqlDataSource.Create(database.ConnectionString));
        builder.Services.AddSingleton(new Terminal(output, error, TextReader.Null));
        var keelback = builder.AddKeelback().AddPostgres(o => (o.App, o.ListenConnection) = ("test", ""));
        services(keelback.Services);
        var app = builder.Build();
        app.UseKeelback();
        var code = await app.RunKeelbackAsync(arguments);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }
}
