using System.Globalization;
using System.Text;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>A search as a condition on the agent's copy, its words aside.</summary>
internal sealed class RunFilter(QueueCatalog catalog)
{
    private const long FirstMillisecond = 1_577_836_800_000; // of 2020
    private const int IdBits = 22; // below the milliseconds

    /// <summary>On <c>keelback.run_search s</c>; its parameters are added to the command.</summary>
    public async Task<string> WhereAsync(NpgsqlCommand command, RunSearch search, CancellationToken ct)
    {
        var queues = await QueuesAsync(search.Queue, ct);
        var where = new StringBuilder(queues is [var one]
            ? $"s.queue = {Add(command, one)}" // of a list, be it of one, no index gives the order
            : $"s.queue = any({Add(command, queues.ToArray())})");
        void And(string condition) => where.Append(" and ").Append(condition);

        And($"s.id < {Add(command, search.Before ?? long.MaxValue)}");
        if (search.From is { } from) And($"s.id >= {Add(command, FirstId(from))}");
        if (search.To is { } to) And($"s.id < {Add(command, FirstId(to))}");
        if (search.Kind is { } kind) And($"s.kind = {Add(command, kind)}");
        if (search.Tag is { } tag) And($"s.tags @> array[{Add(command, tag)}]");

        if (search.IsOpen) And("s.state = 0");
        if (search.State is { } state)
        {
            if (state == JobRunState.Running) And("s.id in (select run_id from keelback.claim)");
            else if (state == JobRunState.Blocked) And("s.state = 0 and exists (select from keelback.wait w where w.run_id = s.id)");
            else if (state == JobRunState.Limited) And("s.state = 0 and exists (select from keelback.parked p where p.run_id = s.id)");
            else And(States.Stored(state) == 0 ? "s.state = 0" : $"s.state = {States.Stored(state).ToString(CultureInfo.InvariantCulture)}");
        }

        return where.ToString();
    }

    private async Task<IReadOnlyList<short>> QueuesAsync(string? name, CancellationToken ct)
    {
        var all = await catalog.AllAsync(ct);
        return [.. all.Where(q => name is null || q.Name == name).Select(q => q.Id)];
    }

    /// <summary>As keelback.first_run_id, within the years that an id can tell.</summary>
    private static long FirstId(DateTimeOffset at) =>
        Math.Clamp(at.ToUnixTimeMilliseconds() - FirstMillisecond, 0, long.MaxValue >> IdBits) << IdBits;

    /// <summary>Adds a parameter; answers its place.</summary>
    public static string Add<T>(NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return "$" + command.Parameters.Count.ToString(CultureInfo.InvariantCulture);
    }
}
