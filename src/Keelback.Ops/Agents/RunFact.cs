namespace Keelback.Ops;

/// <summary>What the agent learns of a run when it meets it, or its end. <c>Redriven</c>: the attempts before it was last opened again.</summary>
internal sealed record RunFact(
    long Id, string Kind, short Queue, short State, int Attempts, int Redriven, DateTimeOffset EnqueuedAt, DateTimeOffset? DueAt,
    DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt)
{
    public bool HasEnded => State != 0;

    /// <summary>The columns of a row <c>r</c> of keelback.run, in the order in which they are read.</summary>
    public const string Columns =
        "r.id, r.kind, r.queue, r.state, coalesce(r.attempt, 0)::int, r.base_attempt::int, keelback.run_enqueued_at(r.id), r.due_at, r.started_at, r.finished_at";

    public static RunFact Read(Npgsql.NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetInt16(2), row.GetInt16(3), row.GetInt32(4), row.GetInt32(5),
        row.GetFieldValue<DateTimeOffset>(6), Time(row, 7), Time(row, 8), Time(row, 9));

    private static DateTimeOffset? Time(Npgsql.NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
