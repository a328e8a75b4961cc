using Keelback.Postgres;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Between the signal and the last request: not ready any more, and still listening for a while.</summary>
internal sealed class Draining : HostStep, IHealthCheck, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly ILogger<Draining> _log;
    private readonly CancellationTokenRegistration _stopping;
    private volatile bool _draining;

    public Draining(
        IHostApplicationLifetime life, IHostEnvironment environment, IOptions<KeelbackOptions> options, RunMode mode,
        TimeProvider clock, ILogger<Draining> log)
    {
        (_clock, _log) = (clock, log);
        Delay = mode.Host == CommandHost.Web ? options.Value.DrainDelayIn(environment) : TimeSpan.Zero;
        _stopping = life.ApplicationStopping.Register(() => _draining = true);
    }

    public TimeSpan Delay { get; }

    /// <summary>Set by the signal, before anything stops.</summary>
    public bool IsDraining => _draining;

    /// <summary>Runs before any service is stopped, the web server included.</summary>
    public override async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        if (Delay <= TimeSpan.Zero) return;

        Log.Draining(_log, Delay);
        await Task.Delay(Delay, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_draining ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy());

    public void Dispose() => _stopping.Dispose();
}
