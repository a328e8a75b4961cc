using System.ComponentModel.DataAnnotations;
using Keelback.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Tests.Checks;

public class StartChecksTests
{
    [Fact]
    public async Task All_mistakes_are_told_at_once_and_nothing_starts()
    {
        using var app = new ShellApp(
            k => k.AddSettings<ShopSettings>("Shop").AddCheck<TillCheck>(),
            use: _ => { });
        app.WriteDotEnv("Shop:Currency=EUR\nnonsense\n");
        app.Configuration["Shop:MaxLines"] = "5000";
        app.Configuration["Shop:Pause"] = "soon";
        app.Configuration["Shop:Curency"] = "USD";
        app.Configuration["Shop:Outlets:0:Name"] = "Berlin";
        app.Configuration["Shop:Outlets:1:City"] = "Paris";
        app.Configuration["Keelback:DrainDelai"] = "1";
        app.Configuration["Keelback:Postgres:StartTimeout"] = "9x";
        app.Configuration["Keelback:Mial:Host"] = "x";

        var code = await app.RunAsync();

        Assert.Equal(1, code);
        Assert.Equal(
            """
            KB1501: 8 mistakes before the start:
              error KB1505: .env, line 2: expected '=' after nonsense.
              error KB1504: Keelback:DrainDelai is not a setting.
                hint: Did you mean 'DrainDelay'?
              error KB1504: Keelback:Mial is not a setting.
                hint: Did you mean 'Mail'?
              error KB1502: Keelback:Postgres:StartTimeout ('9x') is not a duration such as 01:30:00.
              error KB1504: Shop:Curency is not a setting.
                hint: Did you mean 'Currency'?
              error KB1502: Shop:Pause ('soon') is not a duration such as 01:30:00.
              error KB1511: The app serves without Keelback's middleware: no security headers, no problem documents, no health.
                hint: Call app.UseKeelback() after builder.Build().
              error TILL1: The till is empty.

            """.ReplaceLineEndings("\n"),
            app.Error);
    }

    [Fact]
    public async Task Settings_that_read_are_held_to_their_rules()
    {
        using var app = new ShellApp(k => k.AddSettings<ShopSettings>("Shop")
            .Services.AddOptions<OtherOptions>().Validate(o => o.Size > 0, "Other:Size must be over zero.").ValidateOnStart());
        app.Configuration["Shop:MaxLines"] = "5000";
        app.Configuration["Shop:ApiKey"] = "short";
        app.Configuration["Shop:Outlets:0:Name"] = "Berlin";
        app.Configuration["Shop:Outlets:1:Street"] = "Rue de Rivoli";

        var code = await app.RunAsync();

        Assert.Equal(1, code);
        Assert.Equal(
            """
            KB1501: 5 mistakes before the start:
              error KB1503: Shop:Currency is required and has no value.
              error KB1503: The field Shop:MaxLines ('5000') must be between 1 and 100.
              error KB1503: The field Shop:ApiKey ('****') must be a string or array type with a minimum length of '10'.
              error KB1503: Shop:Outlets:1:Name is required and has no value.
              error KB1503: Other:Size must be over zero.

            """.ReplaceLineEndings("\n"),
            app.Error);
    }

    [Fact]
    public async Task Mistakes_of_jobs_are_among_them()
    {
        using var app = new ShellApp(k => k.Services.AddSingleton(Kind(typeof(TillCheck))).AddSingleton(Kind(typeof(Outlet))));
        app.Configuration["Keelback:Jobs:Concurrency"] = "100";

        var code = await app.RunAsync();

        Assert.Equal(1, code);
        Assert.StartsWith("KB1501: 2 mistakes before the start:\n  error KB1201: Two jobs are called 'Till.Count': in ", app.Error);
        Assert.Contains("  error KB1202: Keelback:Jobs:Concurrency (100) needs a pool of 108 connections, and 'Maximum Pool Size' is 100", app.Error);

        static JobKind Kind(Type by) => new("Till.Count", by, new(), _ => default);
    }

    [Fact]
    public async Task What_the_host_reads_before_dotenv_does_not_belong_in_it()
    {
        using var app = new ShellApp();
        app.WriteDotEnv("ASPNETCORE_ENVIRONMENT=Staging");

        var code = await app.RunAsync();

        Assert.Equal(
            (1,
            """
            KB1501: 1 mistake before the start:
              error KB1506: .env sets ASPNETCORE_ENVIRONMENT, which the host reads before .env.
                hint: Set it in the real environment.

            """.ReplaceLineEndings("\n")),
            (code, app.Error));
    }

    [Fact]
    public async Task A_plain_run_of_the_host_is_checked_too()
    {
        using var app = new ShellApp(k => k.AddCheck<TillCheck>());
        await using var host = app.Build();

        var mistake = await Assert.ThrowsAnyAsync<KeelbackException>(() => host.StartAsync());

        Assert.Equal("KB1501: 1 mistake before the start:\n  error TILL1: The till is empty.", mistake.Message);
    }

    [Fact]
    public void Settings_are_injected_by_their_own_name()
    {
        using var app = new ShellApp(k => k.AddSettings<ShopSettings>("Shop").AddSettings<ShopSettings>("Shop"));
        app.WriteDotEnv("Shop__Currency=EUR\nShop__MaxLines=7");
        app.Configuration["Shop:MaxLines"] = "8";
        using var host = app.Build();

        var settings = host.Services.GetRequiredService<ShopSettings>();

        Assert.Equal(("EUR", 8), (settings.Currency, settings.MaxLines));
    }

    public sealed class ShopSettings
    {
        public required string Currency { get; init; }

        [Range(1, 100)]
        public int MaxLines { get; init; } = 50;

        public TimeSpan? Pause { get; init; }

        [MinLength(10)]
        public string? ApiKey { get; init; }

        public IList<Outlet> Outlets { get; init; } = [];
    }

    public sealed class Outlet
    {
        public required string Name { get; init; }

        public string? City { get; init; }

        public string? Street { get; init; }
    }

    public sealed class OtherOptions
    {
        public int Size { get; set; }
    }

    public sealed class TillCheck : ICheck
    {
        public ValueTask RunAsync(Findings findings, CancellationToken ct)
        {
            findings.Error("TILL1", "The till is empty.");
            return default;
        }
    }
}
