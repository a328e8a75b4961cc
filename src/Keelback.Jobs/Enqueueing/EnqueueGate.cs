using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>What every run passes before it is written, whichever way it comes: the filters, the size, the secrets.</summary>
internal sealed class EnqueueGate(IEnumerable<IEnqueueFilter> filters, JobSecrets secrets, IOptions<JobsOptions> options)
{
    private readonly IEnqueueFilter[] _filters = [.. filters];

    /// <exception cref="KeelbackException">KB1206, KB1208, KB1277; or whatever a filter throws.</exception>
    public void Pass(EnqueuePlan plan)
    {
        if (plan.HasPassed) return;

        var filtered = false;
        foreach (var run in plan.Runs)
            if (run.Kind.DeclaredBy != typeof(Job)) filtered |= Filter(run);
        if (filtered) plan.Settle();

        foreach (var run in plan.Runs)
        {
            Seal(run);
            PayloadRules.CheckSize(run.Kind.Name, run.Payload.Length, options.Value.MaxPayload);
        }

        plan.HasPassed = true;
    }

    private bool Filter(PlannedRun run)
    {
        if (_filters.Length == 0 && run.Kind.Metadata.Count == 0) return false;

        var seen = false;
        foreach (var filter in _filters.Concat(run.Kind.Metadata.OfType<IEnqueueFilter>()))
        {
            filter.OnEnqueue(new(run));
            seen = true;
        }

        if (seen) run.Check();
        return seen;
    }

    private void Seal(PlannedRun run)
    {
        foreach (var (_, parameter) in run.Bound)
            if (run.Kind.Secrets.FirstOrDefault(secret => parameter.TrimEnd('[', ']', '!', '?') == secret) is { } bound)
                throw JobErrors.BadOptions(run.Kind.Name, $"its secret '{bound}' cannot be another job's result, which is stored in the open.");

        run.Input = secrets.Seal(run.Kind, run.Input);
    }
}
