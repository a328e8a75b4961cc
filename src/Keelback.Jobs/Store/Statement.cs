using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Jobs;

/// <summary>What the statements of the hot path share.</summary>
internal static class Statement
{
    /// <summary>
    /// Goes first in a batch whose other statements find rows by key in tables that may be empty when they are planned and
    /// full when they run: a plan made for an empty table is a sequential scan, and a prepared one stays. Ends with the transaction.
    /// A plan that must scan, as that of keelback.clock() over its empty table, then costs 10^10, and PostgreSQL would compile it
    /// each time it runs (35 ms a claim): no JIT. By the same cost a plan for any parameters never looks as good as one for these, so
    /// that functions which a statement calls would be planned again at each call (2 ms a link of a chain): they need not look.
    /// </summary>
    /// <param name="lockTimeout">How long each statement of the batch waits for a lock; null: as the session has it.</param>
    public static NpgsqlBatchCommand ByKey(TimeSpan? lockTimeout = null) => Set(PlansByKey, lockTimeout);

    /// <summary>
    /// The same for a transaction that need not outlive a crash of the database: its commit does not wait for the disk, unless
    /// keelback.admit gives out a slot or a start in it, and puts back what was set.
    /// </summary>
    public static NpgsqlBatchCommand ByKeyAndSoon(TimeSpan? lockTimeout) => Set(PlansByKeyAndSoon, lockTimeout);

    private const string PlansByKey =
        """
        select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
               set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)
        """;

    private const string PlansByKeyAndSoon = PlansByKey +
        ", set_config('keelback.synchronous_commit', current_setting('synchronous_commit'), true), set_config('synchronous_commit', 'off', true)";

    private static NpgsqlBatchCommand Set(string settings, TimeSpan? lockTimeout) => lockTimeout is { TotalMilliseconds: var ms }
        ? Of(settings + ", set_config('lock_timeout', $1, true)", P(ms.ToString(CultureInfo.InvariantCulture)))
        : new(settings);

    /// <summary>Goes first in a batch whose statements wait for a lock no longer than this; null: as the session has it.</summary>
    public static NpgsqlBatchCommand Waiting(TimeSpan? lockTimeout) => Set("select 1", lockTimeout);

    public static NpgsqlBatchCommand Of(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    public static NpgsqlParameter P<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    public static NpgsqlParameter Jsonb(byte[]?[] values) =>
        new NpgsqlParameter<byte[]?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb };

    public static async Task<List<long>> IdsAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var ids = new List<long>();
        while (await row.ReadAsync(ct)) ids.Add(row.GetInt64(0));
        return ids;
    }
}
