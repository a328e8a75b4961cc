using System.Globalization;
using System.Text;

namespace Keelback.Chaos;

/// <summary>The table at the end.</summary>
internal static class Report
{
    private const int Shown = 5;

    public static string Of(ChaosOptions options, Facts facts, IReadOnlyList<Verdict> verdicts, IEnumerable<string> leftOut, TimeSpan took)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Chaos, seed {options.Seed}: {took.TotalMinutes:0.0} minutes").AppendLine();
        text.AppendLine("| fault | no. | times | what |").AppendLine("|---|---|---:|---|");
        foreach (var (name, number, _, what) in Plan.Faults)
        {
            var made = facts.Faults.Count(f => f.Fault == name);
            if (name == "failpoint") made = facts.Deaths.Values.Count(d => d.Why.StartsWith("failpoint", StringComparison.Ordinal));
            if (name == "lose-answers") made = facts.AnswersLost;
            var missed = facts.Missed.TryGetValue(name, out var count) ? $" ({count} found no victim)" : "";
            text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {number} | {made} | {what}{missed} |");
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture,
            $"Deaths: {string.Join(", ", facts.Deaths.Values.GroupBy(d => d.Why).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key}"))}; {facts.Stops.Count} SIGTERMs.");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Calls: {facts.Calls.Count}: {facts.Calls.Values.Count(c => c.Acked)} acknowledged, {facts.Calls.Values.Count(c => c.Refused)} refused, {facts.Calls.Values.Count(c => !c.Acked && !c.Refused)} unknown. " +
            $"Runs: {facts.Runs.Count}, attempts begun: {facts.Attempts.Values.Sum(a => a.Count)}, chords: {facts.Runs.Values.Count(r => r.Kind == "body")}, fenced writes: {facts.FencedWrites}.");
        foreach (var what in leftOut) text.AppendLine("Left out: " + what);

        text.AppendLine().AppendLine("| | invariant | looked at | broken | |").AppendLine("|---|---|---:|---:|---|");
        foreach (var v in verdicts)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {v.Invariant} | {v.What} | {v.Checked} | {v.Violations.Count} | {(v.Holds ? "" : "**VIOLATED** ")}{v.Note} |");

        foreach (var v in verdicts.Where(v => !v.Holds))
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{v.Invariant}, {v.What}:");
            foreach (var violation in v.Violations.Take(Shown)) text.AppendLine("- " + violation);
            if (v.Violations.Count > Shown) text.AppendLine(CultureInfo.InvariantCulture, $"- and {v.Violations.Count - Shown} more");
        }

        return text.ToString();
    }
}
