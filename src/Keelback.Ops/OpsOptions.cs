using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>The jobs pages, and what feeds them. Bound from the <c>Keelback:Ops</c> section.</summary>
public sealed class OpsOptions
{
    /// <summary>
    /// The authorization policy that the pages, their API and the metrics demand. Default: none, and they answer 404; in Development
    /// whoever has the link that the start prints gets to the pages and their API.
    /// </summary>
    public string? Policy { get; set; }

    /// <summary>
    /// The authorization policy that acting demands beside seeing: retry, cancel, edit, revoke, pause, change, stop. Who has it not sees the pages without
    /// their buttons. Default: none, and who may see may act. The developer who came by the link may.
    /// </summary>
    public string? ActionPolicy { get; set; }

    /// <summary>Where <c>UseKeelback</c> maps the pages. Default <c>/ops/jobs</c>; empty: nowhere.</summary>
    public string Path { get; set; } = "/ops/jobs";

    /// <summary>Where <c>UseKeelback</c> maps the metrics. Default <c>/metrics</c>; empty: nowhere.</summary>
    public string MetricsPath { get; set; } = "/metrics";

    /// <summary>Whether this process takes its turns at copying runs for the search, counting and watching, whether or not it runs jobs. Default true; one process must.</summary>
    public bool RunAgents { get; set; } = true;

    /// <summary>How long figures per hour are kept; those per minute stay 2 days. Default 90 days.</summary>
    public TimeSpan KeepFigures { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long the audit is kept. Default 2 years.</summary>
    public TimeSpan KeepAudit { get; set; } = TimeSpan.FromDays(730);

    /// <summary>A transaction open for longer is warned of: it keeps dead rows from being cleaned up. Default 1 minute.</summary>
    public TimeSpan WarnTransaction { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A run that could start, or a schedule that is due, and waits for longer is warned of. Default 5 minutes.</summary>
    public TimeSpan WarnReady { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>More dead rows than this in the table of ready runs are warned of. Default 100,000.</summary>
    public int WarnDeadRows { get; set; } = 100_000;

    /// <summary>How long a development link's session lasts after its last request. Default 1 hour.</summary>
    public TimeSpan DevelopmentSession { get; set; } = TimeSpan.FromHours(1);
}

internal sealed class OpsOptionsValidator : IValidateOptions<OpsOptions>
{
    public ValidateOptionsResult Validate(string? name, OpsOptions options)
    {
        var mistakes = new List<string>();
        foreach (var (key, path) in new[] { (nameof(options.Path), options.Path), (nameof(options.MetricsPath), options.MetricsPath) })
            if (path.Length > 0 && (path[0] != '/' || path.Length == 1 || path[^1] == '/' || path.AsSpan().ContainsAny('{', '?', ' ')))
                mistakes.Add($"Keelback:Ops:{key} ('{path}') must be a path such as /ops/jobs, or empty.");

        foreach (var (key, time) in new[]
        {
            (nameof(options.KeepFigures), options.KeepFigures), (nameof(options.KeepAudit), options.KeepAudit),
            (nameof(options.WarnTransaction), options.WarnTransaction), (nameof(options.WarnReady), options.WarnReady),
            (nameof(options.DevelopmentSession), options.DevelopmentSession),
        })
            if (time <= TimeSpan.Zero) mistakes.Add($"Keelback:Ops:{key} ({time}) must be more than zero.");

        if (options.WarnDeadRows < 1) mistakes.Add($"Keelback:Ops:{nameof(options.WarnDeadRows)} ({options.WarnDeadRows}) must be 1 or more.");
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
