
namespace Keelback;

/// <summary>Everything that the start checks, and what only the database can tell.</summary>
[Command("check", "Look for mistakes: settings, policies, migrations; starts nothing and changes nothing")]
internal sealed class CheckCommand(StartChecks checks) : Command
{
    public override async Task<int> RunAsync(CancellationToken ct)
    {
        var findings = await checks.RunAsync(_ => true, ct);
        if (findings.Count == 0)
        {
            await Output.WriteLineAsync("No mistakes found.");
            return 0;
        }

        await Output.WriteLineAsync($"{FindingList.Count(findings)} found:");
        await Output.WriteLineAsync(FindingList.Text(findings));

        return findings.Any(f => f.Level == FindingLevel.Error) ? Shell.Failed : 0;
    }
}
