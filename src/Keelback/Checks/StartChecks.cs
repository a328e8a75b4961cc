using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback;

/// <summary>What the host asks before it starts anything: every check and every validated option, all mistakes at once.</summary>
/// <param name="inner">The host's own, which knows the options with <c>ValidateOnStart</c>.</param>
/// <param name="checks">Ours and the app's.</param>
/// <param name="log">Gets the warnings.</param>
internal sealed class StartChecks(IStartupValidator inner, IEnumerable<ICheck> checks, ILogger<StartChecks> log) : IStartupValidator
{
    private bool _passed;

    /// <summary>Takes the place of the host's own validator, and asks it too.</summary>
    public static void Wrap(IServiceCollection services)
    {
        // Anything with ValidateOnStart makes the host's own be registered, if it is not yet.
        services.AddOptions<KeelbackOptions>().ValidateOnStart();
        var inner = services.Last(s => s.ServiceType == typeof(IStartupValidator));

        services.AddSingleton(sp => new StartChecks(
            (IStartupValidator)ActivatorUtilities.CreateInstance(sp, inner.ImplementationType!),
            sp.GetServices<ICheck>(),
            sp.GetRequiredService<ILogger<StartChecks>>()));
        services.AddTransient<IStartupValidator>(sp => sp.GetRequiredService<StartChecks>());
    }

    /// <exception cref="StartChecksException">KB1501: with every error.</exception>
    public void Validate()
    {
        // The command line asks before the host does: the host makes its services first, and one of them may stumble over a mistake.
        if (_passed) return;

        // The host asks synchronously, before its start; the checks that it asks do not wait for anything.
        var findings = RunAsync(check => check.AtStart, CancellationToken.None).AsTask().GetAwaiter().GetResult();

        foreach (var warning in findings.Where(f => f.Level == FindingLevel.Warning))
            Log.CheckWarned(log, warning.Code, warning.Message, warning.Hint ?? "");

        var errors = findings.Where(f => f.Level == FindingLevel.Error).ToList();
        if (errors.Count > 0) throw new StartChecksException(errors);

        _passed = true;
    }

    /// <summary>Runs the chosen checks, and the validators of every option.</summary>
    public async ValueTask<IReadOnlyList<Finding>> RunAsync(Func<ICheck, bool> chosen, CancellationToken ct)
    {
        var findings = new Findings();
        foreach (var check in checks.Where(chosen).OrderByDescending(c => c.AtStart))
        {
            // Without settings that read there is no connection to ask; they are told.
            if (!check.AtStart && findings.All.Any(f => f.Code == KeelbackErrors.SettingUnreadable)) break;

            await RunAsync(check, findings, ct);
        }

        var told = findings.All.Select(f => f.Message).ToHashSet();
        var failures = OptionFailures(unreadableTold: findings.All.Any(f => f.Code == KeelbackErrors.SettingUnreadable));
        foreach (var failure in failures.Where(told.Add)) findings.Error(KeelbackErrors.SettingRefused, failure);

        return findings.All;
    }

    // What stops one check must not keep the others from telling.
    private static async ValueTask RunAsync(ICheck check, Findings findings, CancellationToken ct)
    {
        try
        {
            await check.RunAsync(findings, ct);
        }
        catch (KeelbackException e)
        {
            findings.Error(e.Code, e.Text);
        }
        catch (Exception e) when (!check.AtStart && e.GetBaseException() is NpgsqlException or SocketException or TimeoutException)
        {
            if (findings.All.All(f => f.Code != KeelbackErrors.DatabaseAway))
                findings.Error(KeelbackErrors.DatabaseAway, $"The database does not answer: {e.Message}", "Start it, or correct the connection string.");
        }
    }

    private IReadOnlyList<string> OptionFailures(bool unreadableTold)
    {
        try
        {
            inner.Validate();
            return [];
        }
        catch (OptionsValidationException e)
        {
            return [.. e.Failures];
        }
        catch (AggregateException e) when (e.InnerExceptions.All(i => i is OptionsValidationException))
        {
            return [.. e.InnerExceptions.Cast<OptionsValidationException>().SelectMany(i => i.Failures)];
        }
        catch (InvalidOperationException e) when (e.Source == "Microsoft.Extensions.Configuration.Binder")
        {
            return unreadableTold ? [] : [e.InnerException is { } why ? $"{e.Message} {why.Message}" : e.Message];
        }
    }
}
