using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Keelback.Jobs;

namespace Keelback;

/// <summary>Explains cron expressions: one from the command line, or many from standard input.</summary>
[Command("cron", "Say what a cron expression means, and print its next ticks")]
internal sealed class CronCommand(TimeProvider clock) : Command
{
    private const int MaxCount = 100_000;

    [Argument("The expression, in quotes; '-' reads lines of EXPR<TAB>ZONE<TAB>FROM<TAB>COUNT")]
    public required string Expression { get; init; }

    [Option("The time zone, as Europe/Berlin (default: UTC)")]
    public string? Zone { get; init; }

    [Option("Ticks after this time: ISO 8601, with an offset or as the zone's clocks show it (default: now)")]
    public string? From { get; init; }

    [Option("How many ticks (default 5)"), Range(1, MaxCount)]
    public int? Count { get; init; }

    [Option("The schedule's name, by which H picks")]
    public string? Name { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        if (Expression == "-")
        {
            if (Ignored() is not { } option) return await LinesAsync(ct);

            await Error.WriteLineAsync($"'cron -' takes no option '{option}': each line has its own zone, time and count, and no name.");
            return Shell.WrongUsage;
        }

        var (cron, zone) = (CronExpression.Parse(Expression, Name ?? ""), Zone ?? "UTC");
        var from = From is null ? clock.GetUtcNow() : CronTime.Parse(From, zone);
        await Output.WriteLineAsync($"{cron.Describe()} ({zone})");
        foreach (var tick in Ticks(cron, zone, from, Count ?? 5)) await Output.WriteLineAsync(tick);

        return 0;
    }

    private string? Ignored() => Zone is not null ? "--zone" : From is not null ? "--from" : Count is not null ? "--count" : Name is not null ? "--name" : null;

    private async Task<int> LinesAsync(CancellationToken ct)
    {
        var (isFirst, bad) = (true, false);
        while (await Input.ReadLineAsync(ct) is { } line)
        {
            if (!isFirst) await Output.WriteLineAsync();
            isFirst = false;
            try
            {
                foreach (var tick in Ticks(line)) await Output.WriteLineAsync(tick);
            }
            catch (KeelbackException e)
            {
                bad = true;
                await Output.WriteLineAsync($"error: {e.Message}");
            }
        }

        return bad ? Shell.Failed : 0;
    }

    private static List<string> Ticks(string line)
    {
        var fields = line.Split('\t');
        if (fields is not [var text, var zone, var from, var count])
            throw KeelbackErrors.BadCronLine($"it has {fields.Length} fields. Give four, with tabs between them: EXPR, ZONE, FROM, COUNT.");
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks is < 1 or > MaxCount)
            throw KeelbackErrors.BadCronLine($"COUNT is '{count}'. Give 1 to {MaxCount}.");

        return [.. Ticks(CronExpression.Parse(text), zone, CronTime.Parse(from, zone), ticks)];
    }

    private static IEnumerable<string> Ticks(CronExpression cron, string zone, DateTimeOffset from, int count)
    {
        var at = from;
        for (var i = 0; i < count && cron.Next(at, zone) is { } tick; i++)
        {
            at = tick;
            yield return tick.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
        }
    }
}
