using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>A guide's first example, which blocks until its app stops, on a thread of its own.</summary>
internal sealed class GuideApp : IAsyncDisposable
{
    private readonly Task _running;
    private readonly AsyncServiceScope _scope;

    private GuideApp(WebApplication app, Task running) => (App, _running, _scope) = (app, running, app.Services.CreateAsyncScope());

    public WebApplication App { get; }

    public IServiceProvider Services => _scope.ServiceProvider;

    public JobClient Jobs => Services.GetRequiredService<JobClient>();

    public static async Task<GuideApp> StartAsync(Func<string[], Action<WebApplication>, Task> run, TestDatabase database, params string[] settings)
    {
        var started = new TaskCompletionSource<WebApplication>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Task.Factory.StartNew(() => run(["--urls=http://127.0.0.1:0", $"--ConnectionStrings:Keelback={database.ConnectionString}", .. settings],
            app => app.Lifetime.ApplicationStarted.Register(() => started.TrySetResult(app))), TaskCreationOptions.LongRunning).Unwrap();

        await Task.WhenAny(started.Task, running).WaitAsync(TimeSpan.FromSeconds(120));
        if (running.IsCompleted) await running; // why it did not start
        return new(await started.Task, running);
    }

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        App.Lifetime.StopApplication();
        await _running.WaitAsync(TimeSpan.FromSeconds(120));
    }
}

internal static class GuideBuilderExtensions
{
    /// <summary>The jobs of a guide's own namespace, as an app has those of its assembly.</summary>
    public static void AddGuide<T>(this WebApplicationBuilder builder)
    {
        foreach (var kind in JobKinds.In(typeof(T).Assembly).Where(kind => kind.DeclaredBy.Namespace == typeof(T).Namespace)) builder.Services.AddJobKind(kind);
    }
}
