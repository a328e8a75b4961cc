using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Tests;

/// <summary>An app as Program.cs writes it, whose terminal the test reads.</summary>
internal sealed class ShellApp(Action<KeelbackBuilder>? add = null, Action<WebApplication>? use = null) : IDisposable
{
    private readonly DirectoryInfo _contentRoot = Directory.CreateTempSubdirectory("keelback-shell-");
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    /// <summary>Beside <c>.env</c> and the command line; a database that nobody should ask, unless the test says otherwise.</summary>
    public Dictionary<string, string?> Configuration { get; } = new()
    {
        ["ConnectionStrings:Keelback"] = "Host=127.0.0.1;Port=1;Username=nobody;Database=nowhere;Timeout=1",
    };

    public string Input { get; init; } = "";

    public string Output => _out.ToString().ReplaceLineEndings("\n");

    public string Error => _error.ToString().ReplaceLineEndings("\n");

    public void WriteDotEnv(string text) => File.WriteAllText(Path.Combine(_contentRoot.FullName, ".env"), text);

    public async Task<int> RunAsync(params string[] arguments) => await RunAsync(CancellationToken.None, arguments);

    public async Task<int> RunAsync(CancellationToken ct, params string[] arguments) =>
        await Build(arguments).RunKeelbackAsync(arguments, ct);

    public WebApplication Build(params string[] arguments)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = arguments,
            ContentRootPath = _contentRoot.FullName,
            EnvironmentName = "Production",
            ApplicationName = "Keelback.Tests",
        });
        builder.Logging.ClearProviders();
        foreach (var (key, value) in Configuration) builder.Configuration[key] = value;
        builder.Services.AddSingleton(new Terminal(_out, _error, new StringReader(Input)));

        var keelback = builder.AddKeelback();
        add?.Invoke(keelback);

        var app = builder.Build();
        if (use is null) app.UseKeelback();
        else use(app);

        return app;
    }

    public void Dispose() => _contentRoot.Delete(recursive: true);
}
