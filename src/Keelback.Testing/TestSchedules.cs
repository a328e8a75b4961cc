using Keelback.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Testing;

/// <summary>The app's schedules, as a test asks for them. None ticks by itself: a test runs the one it is about.</summary>
public sealed class TestSchedules
{
    private readonly IServiceProvider _services;

    internal TestSchedules(IServiceProvider services) => _services = services;

    /// <summary>All of them, those of the app's code and those that the test added, by name.</summary>
    public Task<IReadOnlyList<JobSchedule>> ListAsync(CancellationToken ct = default) => AskAsync(schedules => schedules.ListAsync(ct));

    /// <summary>Enqueues a schedule's call as a tick would do now; the test then drains. Returns the run.</summary>
    /// <exception cref="KeelbackException">KB1260: there is no such schedule.</exception>
    public Task<long> RunNowAsync(string name, CancellationToken ct = default) => AskAsync(schedules => schedules.RunNowAsync(name, ct));

    private async Task<T> AskAsync<T>(Func<JobSchedules, Task<T>> ask)
    {
        await using var scope = _services.CreateAsyncScope();
        return await ask(scope.ServiceProvider.GetRequiredService<JobSchedules>());
    }
}
