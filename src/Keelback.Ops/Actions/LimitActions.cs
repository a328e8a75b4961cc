using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be done to a limit, each in the audit.</summary>
internal sealed class LimitActions(JobLimits limits, JobKinds kinds, AuditWriter audit)
{
    /// <summary>Gives it other numbers, from the next claim of any worker on. One that has none yet must be named in the code, unless it is said to be <paramref name="unknown"/>.</summary>
    /// <exception cref="KeelbackException">KB1730: there is no such limit. KB1731: no number for one. KB1227: it would have none at all, or no such name.</exception>
    public async Task<ActionResult> SetAsync(string name, IReadOnlyDictionary<string, int?> changes, bool unknown, Actor actor, CancellationToken ct)
    {
        if (changes.Values.FirstOrDefault(n => n < 1) is { } wrong) throw OpsErrors.BadLimitNumber(Show.Id(wrong));

        var all = await limits.ListAsync(ct);
        var rule = all.FirstOrDefault(r => r.Name == name);
        if (rule is null && !unknown)
        {
            var named = kinds.All.SelectMany(kind => kind.Limits).Select(limit => LimitCatalog.NameOf(limit.Key)).ToHashSet();
            if (!named.Contains(name)) throw OpsErrors.NoSuchLimit(name, [.. all.Select(r => r.Name).Union(named)], sets: true);
        }

        var numbers = LimitNumbers.Changed(rule?.Numbers ?? new(), changes);
        if ((JobLimits.NameMistake(name) ?? numbers.Mistake()) is { } mistake) throw JobErrors.BadLimit(name, mistake);
        return await audit.AuditAsync(actor, "set", $"limit {name}", rule is null ? null : LimitNumbers.Json(rule.Numbers), async () =>
        {
            if (numbers == rule?.Numbers) return new(false, $"was {LimitNumbers.Words(numbers)} already");
            await limits.SetAsync(name, numbers, ct);
            return new(true, LimitNumbers.Words(numbers), LimitNumbers.Json(numbers));
        }, ct);
    }

    /// <summary>Gives it the numbers of code and settings again.</summary>
    /// <exception cref="KeelbackException">KB1730: there is no such limit.</exception>
    public async Task<ActionResult> ResetAsync(string name, Actor actor, CancellationToken ct)
    {
        var all = await limits.ListAsync(ct);
        var rule = all.FirstOrDefault(r => r.Name == name) ?? throw OpsErrors.NoSuchLimit(name, [.. all.Select(r => r.Name)]);
        return await audit.AuditAsync(actor, "reset", $"limit {name}", LimitNumbers.Json(rule.Numbers), async () =>
            !await limits.ResetAsync(name, ct) ? new(false, "is as the code has it")
            : await limits.GetAsync(name, ct) is { } now ? new(true, $"{LimitNumbers.Words(now.Numbers)}, as the code has it", LimitNumbers.Json(now.Numbers))
            : new(true, "limits nothing any more"), ct);
    }
}
