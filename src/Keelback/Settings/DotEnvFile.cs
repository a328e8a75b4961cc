using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>The content root's <c>.env</c>: as if its lines were environment variables, which the real ones override.</summary>
internal sealed class DotEnvFile(DotEnv content) : ICheck
{
    // Read by the host before any file is.
    private static readonly string[] s_tooLate = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "ASPNETCORE_CONTENTROOT", "DOTNET_CONTENTROOT"];

    public static void Load(IHostApplicationBuilder host)
    {
        var path = Path.Combine(host.Environment.ContentRootPath, ".env");
        if (!File.Exists(path) || host.Services.Any(s => s.ImplementationInstance is DotEnvFile)) return;

        var file = DotEnv.Parse(File.ReadAllText(path));
        host.Services.AddSingleton<ICheck>(new DotEnvFile(file));

        var source = new MemoryConfigurationSource
        {
            InitialData = file.Values.SelectMany(Names).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)).ToArray(),
        };
        var sources = host.Configuration.Sources;
        var environment = sources.OfType<EnvironmentVariablesConfigurationSource>().LastOrDefault(s => string.IsNullOrEmpty(s.Prefix));
        if (environment is null) sources.Add(source);
        else sources.Insert(sources.IndexOf(environment), source);
    }

    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        foreach (var (line, message) in content.Mistakes)
            findings.Error(KeelbackErrors.DotEnvUnreadable, $".env, line {line}: {message}.");

        foreach (var key in content.Values.Keys.Intersect(s_tooLate))
            findings.Error(KeelbackErrors.DotEnvTooLate, $".env sets {key}, which the host reads before .env.", "Set it in the real environment.");

        return default;
    }

    // The host strips its own prefixes, so ASPNETCORE_URLS is known as urls.
    private static IEnumerable<KeyValuePair<string, string>> Names(KeyValuePair<string, string> pair)
    {
        var key = pair.Key.Replace("__", ":", StringComparison.Ordinal);
        yield return new(key, pair.Value);

        foreach (var prefix in (string[])["ASPNETCORE_", "DOTNET_"])
            if (key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) yield return new(key[prefix.Length..], pair.Value);
    }
}
