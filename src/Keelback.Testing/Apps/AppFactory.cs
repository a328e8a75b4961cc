using Keelback.Data;
using Keelback.Jobs;
using Keelback.Web;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Keelback.Testing;

/// <summary>The app as its Program.cs builds it, on a test's database and without workers of its own.</summary>
internal sealed class AppFactory<TProgram>(NpgsqlDataSource db, MailOutbox mail, Action<IWebHostBuilder>? configure) : WebApplicationFactory<TProgram>
    where TProgram : class
{
    /// <summary>The environment's name in tests.</summary>
    public const string EnvironmentName = "Test";

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        // Found by a manifest for web projects; a guess from the solution's folder, which may not exist, for others.
        if (!Directory.Exists(builder.GetSetting(WebHostDefaults.ContentRootKey))) builder.UseContentRoot(AppContext.BaseDirectory);

        builder.UseEnvironment(EnvironmentName);
        builder.UseSetting("Keelback:Ops:RunAgents", "false");
        configure?.Invoke(builder);
        builder.ConfigureTestServices(services =>
        {
            services.RemoveAll<NpgsqlDataSource>();
            services.AddSingleton(db);
            services.RemoveAll<IMailSender>();
            services.AddSingleton<IMailSender>(new OutboxSender(mail));

            services.AddSingleton<HostClock>();
            services.RemoveAll<TimeProvider>();
            services.AddSingleton<TimeProvider>(sp => sp.GetRequiredService<HostClock>());
            services.AddSingleton<OuterTransaction>();

            services.AddSingleton<TestUsers>();
            services.AddSingleton<OneAtATime>();
            services.AddSingleton<IStartupFilter>(sp => sp.GetRequiredService<TestUsers>());
            services.AddSingleton<IStartupFilter>(sp => sp.GetRequiredService<OneAtATime>());

            services.PostConfigure<JobsOptions>(jobs => jobs.RunWorker = false);
            services.PostConfigure<KeelbackOptions>(keelback => (keelback.MigrateAtStart, keelback.DrainDelay) = (true, TimeSpan.Zero));
            services.AddSingleton(new Terminal(TextWriter.Null, TextWriter.Null, Throws: true));
        });
    }
}
