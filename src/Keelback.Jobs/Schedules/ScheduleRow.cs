using Npgsql;

namespace Keelback.Jobs;

/// <summary>A row of <c>keelback.schedule</c>.</summary>
internal sealed record ScheduleRow(int Id, string Name, ScheduleDefinition Definition, DateTimeOffset Anchor)
{
    public const string Columns =
        "id, name, definition, anchor, program, code, overridden, paused, retired_at, next_at, last_at, last_run, queued_at, runs, " +
        "keelback.clock(), covered_at, failed_at, retry_at, tries";

    public string? Program { get; init; }

    public ScheduleDefinition? Code { get; init; }

    public bool IsOverridden { get; init; }

    public bool IsPaused { get; init; }

    public bool IsRetired { get; init; }

    public DateTimeOffset? NextAt { get; init; }

    public DateTimeOffset? LastAt { get; init; }

    public long? LastRun { get; init; }

    public DateTimeOffset? QueuedAt { get; init; }

    public int Runs { get; init; }

    /// <summary>The last tick that enqueued: what came until then is its run's, or an earlier one's.</summary>
    public DateTimeOffset? CoveredAt { get; init; }

    /// <summary>The tick whose call was refused, and that is tried again.</summary>
    public DateTimeOffset? FailedAt { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>How often calls were refused since the last that was not.</summary>
    public int Tries { get; init; }

    /// <summary>When the row was read.</summary>
    public DateTimeOffset Now { get; init; }

    public bool Ticks => !IsPaused && !IsRetired && !(Runs >= Definition.Options.MaxRuns);

    public TickSource Source => Definition.Ticks(Name, Anchor);

    /// <summary>When a node looks at it: at its next tick with its jitter, or when a refused one is tried again.</summary>
    public DateTimeOffset? Fires(DateTimeOffset? next) =>
        next is not { } tick ? RetryAt : Source.Fires(tick) is var at && RetryAt < at ? RetryAt : at;

    /// <summary>With times that begin now: what failed by the old ones is not tried again.</summary>
    public ScheduleRow From(DateTimeOffset now) => this with { Anchor = now, FailedAt = null, RetryAt = null, Tries = 0 };

    /// <summary>Without what a clock that was ahead has left, and that would keep it silent until then. It brings no tick a second time: each has its row.</summary>
    public ScheduleRow AsOfNow()
    {
        var row = Anchor > Now ? From(Now) : FailedAt > Now ? this with { FailedAt = null, RetryAt = null, Tries = 0 } : this;
        return row with { LastAt = LastAt > Now ? Now : LastAt, CoveredAt = CoveredAt > Now ? Now : CoveredAt };
    }

    /// <summary>The next tick of a row whose times were changed, or that was resumed: never one that has passed, however clocks went.</summary>
    public DateTimeOffset? NextFromNow() => Ticks ? Source.Next(LastAt > Now ? LastAt.Value : Now) : null;

    public static async Task<List<ScheduleRow>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var rows = new List<ScheduleRow>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            rows.Add(new(row.GetInt32(0), row.GetString(1), ScheduleDefinition.Parse(row.GetString(2)), row.GetFieldValue<DateTimeOffset>(3))
            {
                Program = row.IsDBNull(4) ? null : row.GetString(4),
                Code = row.IsDBNull(5) ? null : ScheduleDefinition.Parse(row.GetString(5)),
                IsOverridden = row.GetBoolean(6),
                IsPaused = row.GetBoolean(7),
                IsRetired = !row.IsDBNull(8),
                NextAt = At(row, 9),
                LastAt = At(row, 10),
                LastRun = row.IsDBNull(11) ? null : row.GetInt64(11),
                QueuedAt = At(row, 12),
                Runs = row.GetInt32(13),
                Now = row.GetFieldValue<DateTimeOffset>(14),
                CoveredAt = At(row, 15),
                FailedAt = At(row, 16),
                RetryAt = At(row, 17),
                Tries = row.GetInt32(18),
            });

        return rows;
    }

    public JobSchedule ToSchedule() => new(
        Name, Definition.Trigger, Definition.Options, [.. Definition.Call.Kinds],
        IsRetired ? JobScheduleState.Retired : IsPaused ? JobScheduleState.Paused : NextAt is null && FailedAt is null ? JobScheduleState.Ended : JobScheduleState.Active,
        Program is not null, IsOverridden, InZone(NextAt), InZone(LastAt), LastRun, Runs)
    {
        Anchor = Anchor,
    };

    private DateTimeOffset? InZone(DateTimeOffset? at) => at is { } tick ? Source.InZone(tick) : null;

    private static DateTimeOffset? At(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
