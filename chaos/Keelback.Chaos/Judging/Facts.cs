using System.Globalization;
using Npgsql;

namespace Keelback.Chaos;

/// <summary>A run as the database has it at the end.</summary>
internal sealed record RunFact(long Id, string Kind, int State, long Call, int Attempt, int Failures, bool HasInput, string Error = "");

/// <summary>An attempt as its worker wrote it down.</summary>
internal sealed class AttemptFact(string node, long run, int number, long token, string kind, long start)
{
    public string Node => node;

    public long Run => run;

    public int Number => number;

    public long Token => token;

    public string Kind => kind;

    public long Start => start;

    public long? End { get; set; }

    public bool Ok { get; set; }
}

/// <summary>What a producer knows of a call.</summary>
internal sealed class CallFact(Call call)
{
    public Call Call => call;

    public HashSet<long> Runs { get; } = [];

    public bool Acked { get; set; }

    public bool Refused { get; set; }

    public bool Unknown { get; set; }

    public List<string> Cancels { get; } = [];
}

/// <summary>A tick's row; several that shared their fate are one.</summary>
/// <param name="Schedule">Its name.</param>
/// <param name="At">Seconds since 1970.</param>
/// <param name="Until">The last of several.</param>
/// <param name="Outcome">0: enqueued.</param>
/// <param name="Run">Whose run.</param>
internal sealed record TickFact(string Schedule, long At, long Until, int Outcome, long? Run);

/// <summary>A fault, or a death, in time.</summary>
internal sealed record FaultFact(string Fault, string Victim, long From, long To);

/// <summary>Everything that was written down, read after the run.</summary>
internal sealed class Facts
{
    public Dictionary<long, RunFact> Runs { get; } = [];

    public ILookup<long, RunFact> RunsOfCall => field ??= Runs.Values.Where(run => run.HasInput).ToLookup(run => run.Call);

    public Dictionary<long, List<AttemptFact>> Attempts { get; } = [];

    public Dictionary<long, CallFact> Calls { get; } = [];

    public List<FaultFact> Faults { get; } = [];

    /// <summary>Faults that found no victim.</summary>
    public Dictionary<string, int> Missed { get; } = [];

    /// <summary>When and how a process died.</summary>
    public Dictionary<string, (long At, string Why)> Deaths { get; } = [];

    /// <summary>Processes whose start had ended.</summary>
    public HashSet<string> Ready { get; } = [];

    /// <summary>SIGTERMs: who, the exit code, and the time it took.</summary>
    public List<(string Node, long At, int ExitCode, TimeSpan Took)> Stops { get; } = [];

    /// <summary>When each process logged that it had lost its lease.</summary>
    public List<(string Node, long At)> LostLeases { get; } = [];

    public long FencedWrites { get; private set; }

    public Dictionary<long, int> TxEffects { get; } = [];

    public List<(long Run, long Call, long[] Results)> ChordResults { get; } = [];

    public Dictionary<long, int> Orders { get; } = [];

    public List<TickFact> Ticks { get; } = [];

    /// <summary>Runs of each schedule's each second.</summary>
    public Dictionary<(string Schedule, long At), int> TickRuns { get; } = [];

    /// <summary>When, by the database's clock, attempts of the paced job began.</summary>
    public List<DateTimeOffset> PacedStarts { get; } = [];

    /// <summary>Rows of the narrow tables that still stand for an open run, which there is none of.</summary>
    public string Leftovers { get; private set; } = "";

    public int AnswersLost { get; set; }

    public static async Task<Facts> ReadAsync(NpgsqlDataSource db, string folder)
    {
        var facts = new Facts();
        await facts.ReadDatabaseAsync(db);

        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "ledger"), "*.txt").Order(StringComparer.Ordinal))
            facts.Add(Path.GetFileNameWithoutExtension(file), File.ReadLines(file));
        facts.AddFaults(File.ReadLines(Path.Combine(folder, "faults.txt")));
        return facts;
    }

    /// <summary>What one process wrote down.</summary>
    public void Add(string node, IEnumerable<string> lines)
    {
        var open = new Dictionary<long, AttemptFact>();
        foreach (var words in lines.Select(line => line.Split(' ')).Where(words => words.Length > 1)) Add(node, words, open);
    }

    private void Add(string node, string[] words, Dictionary<long, AttemptFact> open)
    {
        var at = Number(words[1]);
        switch (words)
        {
            case ["R", _]:
                Ready.Add(node);
                break;
            case ["S", _, var run, var number, var token, var kind, ..]:
                var attempt = new AttemptFact(node, Number(run), (int)Number(number), Number(token), kind, at);
                if (!Attempts.TryGetValue(attempt.Run, out var of)) Attempts[attempt.Run] = of = [];
                of.Add(attempt);
                open[attempt.Token] = attempt;
                break;
            case ["E", _, _, _, var token, var how] when open.Remove(Number(token), out var ended):
                (ended.End, ended.Ok) = (at, how == "ok");
                break;
            case ["F", _, var count]:
                FencedWrites += Number(count);
                break;
            case ["W", _, "1021"]:
                LostLeases.Add((node, at));
                break;
            case ["B", _, .. var call] when call.Length == 6:
                var made = Call.Parse(call);
                Calls[made.Key] = new(made);
                break;
            case ["A", _, var key, var run]:
                var acked = Calls[Number(key)];
                acked.Acked = true;
                if (Number(run) != 0) acked.Runs.Add(Number(run));
                break;
            case ["R", _, var key, _]:
                Calls[Number(key)].Refused = true;
                break;
            case ["U", _, var key, ..]:
                Calls[Number(key)].Unknown = true;
                break;
            case ["C", _, var key, _, var answer]:
                Calls[Number(key)].Cancels.Add(answer);
                break;
        }
    }

    /// <summary>What the maker of the faults wrote down.</summary>
    public void AddFaults(IEnumerable<string> lines)
    {
        var open = new Dictionary<(string Index, string Victim), (string Fault, long At)>();
        foreach (var words in lines.Select(line => line.Split(' ')))
        {
            var at = Number(words[1]);
            switch (words)
            {
                case ["b", _, var index, var fault, var victim]:
                    open[(index, victim)] = (fault, at);
                    break;
                case ["e", _, var index, var fault, var victim] when open.Remove((index, victim), out var began):
                    Faults.Add(new(fault, victim, began.At, at));
                    break;
                case ["m", _, _, var fault]:
                    Missed[fault] = Missed.GetValueOrDefault(fault) + 1;
                    break;
                case ["D", _, var node, var why]:
                    Deaths[node] = (at, why);
                    break;
                case ["T", _, var node, var exitCode, var took]:
                    Stops.Add((node, at, (int)Number(exitCode), TimeSpan.FromMilliseconds(Number(took))));
                    break;
                case ["L", _, var count]:
                    AnswersLost += (int)Number(count);
                    break;
            }
        }

        // Broken off while it lasted.
        foreach (var ((_, victim), (fault, at)) in open) Faults.Add(new(fault, victim, at, at));
    }

    private async Task ReadDatabaseAsync(NpgsqlDataSource db)
    {
        await RowsAsync(db,
            """
            select r.id, r.kind, r.state::int, coalesce((r.input->>'call')::bigint, 0), coalesce(r.attempt, 0)::int,
                   (select count(*)::int from keelback.attempt a where a.run_id = r.id), coalesce(r.error->>'message', '')
            from keelback.run r
            """,
            row => Runs.Add(row.GetInt64(0), new(row.GetInt64(0), row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetInt32(4), row.GetInt32(5), row.GetInt64(3) != 0,
                row.GetString(6))));
        await RowsAsync(db,
            """
            select started_at from keelback.run where kind = 'paced' and started_at is not null
            union all
            select a.started_at from keelback.attempt a join keelback.run r on r.id = a.run_id where r.kind = 'paced' and a.n is distinct from r.attempt
            """,
            row => PacedStarts.Add(row.GetFieldValue<DateTimeOffset>(0)));
        await RowsAsync(db, "select run_id, count(*)::int from tx_effect group by 1", row => TxEffects.Add(row.GetInt64(0), row.GetInt32(1)));
        await RowsAsync(db, "select run_id, call, results from chord_result", row => ChordResults.Add((row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<long[]>(2))));
        await RowsAsync(db, "select call, count(*)::int from order_row group by 1", row => Orders.Add(row.GetInt64(0), row.GetInt32(1)));
        await RowsAsync(db,
            """
            select s.name, extract(epoch from t.at)::bigint, extract(epoch from coalesce(t.until, t.at))::bigint, t.outcome::int, t.run_id
            from keelback.tick t join keelback.schedule s on s.id = t.schedule
            """,
            row => Ticks.Add(new(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetInt64(4))));
        await RowsAsync(db, "select input->>'schedule', (input->>'at')::bigint, count(*)::int from keelback.run where kind = 'tick' group by 1, 2",
            row => TickRuns.Add((row.GetString(0), row.GetInt64(1)), row.GetInt32(2)));
        await RowsAsync(db,
            """
            select 'claim', count(*) from keelback.claim union all
            select 'wait', count(*) from keelback.wait w where exists (select from keelback.run r where r.id = w.run_id and r.state <> 0) union all
            select 'open without a place', count(*) from keelback.run r where state = 0
                and not exists (select from keelback.claim c where c.run_id = r.id) and not exists (select from keelback.wait c where c.run_id = r.id)
                and not exists (select from keelback.ready c where c.run_id = r.id) and not exists (select from keelback.timer c where c.run_id = r.id)
                and not exists (select from keelback.parked c where c.run_id = r.id)
            """,
            row => Leftovers += row.GetInt64(1) == 0 ? "" : $"{row.GetInt64(1)} {row.GetString(0)}; ");
    }

    private static async Task RowsAsync(NpgsqlDataSource db, string sql, Action<NpgsqlDataReader> read)
    {
        await using var command = db.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) read(row);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
