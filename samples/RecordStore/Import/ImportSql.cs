namespace RecordStore.Import;

/// <summary>The statements that bring one file into its table: text, what is wrong with it, types, what is wrong with those, rows.</summary>
/// <remarks>Each looks at the whole file at once. The temporary tables are gone with the transaction.</remarks>
internal sealed class ImportSql(ImportTable table)
{
    /// <summary>Keeps other writers out until the commit, readers not: keys that are looked for now must still be free at the insert.</summary>
    /// <remarks>A time without a zone is UTC, in this transaction.</remarks>
    public string Begin =>
        $"""
        lock table {table.Name} in share row exclusive mode;
        set local time zone 'UTC';
        create temporary table staging (line bigint, problem text, {Each(table.Columns, c => $"{c.Text} text")}) on commit drop;
        create temporary table rejected (line bigint, reason text) on commit drop;
        """;

    public static string Copy(IEnumerable<string> header) =>
        $"copy staging (line, problem, {string.Join(", ", header.Select(column => $"\"{column}\""))}) from stdin (format binary)";

    /// <summary>Texts that are not what their columns hold.</summary>
    public string Convert =>
        $"""
        insert into rejected
        select line, problem from (
            select line, coalesce(problem, nullif(concat_ws('; ', {Each(table.Columns, c => c.Problem())}), '')) as problem from staging) s
        where problem is not null;

        create temporary table typed on commit drop as
        select line, {Each(table.Columns, c => c.Typed)} from staging where line not in (select line from rejected);
        create index on typed ({Names(table.Key)});
        analyze typed;
        """;

    /// <summary>Rows that their table would not take.</summary>
    public IEnumerable<string> Checks =>
    [
        .. table.UniqueKeys.Prepend(table.Key).Select(Twice),
        .. table.UniqueKeys.Select(Taken),
        .. table.Rules.Select(Broken),
        .. table.References.OrderBy(reference => reference.ToItself).Select(Dangling), // after all else: it follows what is rejected
    ];

    /// <summary>Inserts and updates, and counts both; a row that is the same is not written.</summary>
    public string Upsert =>
        $"""
        with written as (
            insert into {table.Name} as t ({Names(table.Columns)})
            select {Names(table.Columns)} from typed where line not in (select line from rejected) order by line
            on conflict ({Names(table.Key)}) do {Update}
            returning t.xmax = 0 as inserted) -- an updated row carries its update's lock
        select count(*) filter (where inserted), count(*) filter (where not inserted) from written
        """;

    public static string CountRejected => "select count(distinct line) from rejected";

    /// <summary>Gives out no id again that the file has used.</summary>
    public string? MoveSequence => table.Sequence is not { } id ? null :
        $"""
        select setval(s.name, t.last)
        from (select pg_get_serial_sequence('{table.Name}', '{id.Trim('"')}')::regclass as name) s, (select max({id}) as last from {table.Name}) t
        where t.last > coalesce(pg_sequence_last_value(s.name), 0)
        """;

    public static string KeepRejected =>
        """
        insert into import_reject (import_file_id, line, reason)
        select $1, line, string_agg(reason, '; ' order by reason) from rejected group by line order by line
        """;

    private string Update => !table.Others.Any() ? "nothing" :
        $"""
        update set {Each(table.Others, c => $"{c.Name} = excluded.{c.Name}")}
            where ({Each(table.Others, c => $"t.{c.Name}")}) is distinct from ({Each(table.Others, c => $"excluded.{c.Name}")})
        """;

    private static string Twice(IReadOnlyList<ImportColumn> key) =>
        $"""
        insert into rejected
        select line, format('{Headers(key)} %s is in line %s already', {Values(key, "d")}, first)
        from (select *, first_value(line) over (partition by {Names(key)} order by line) as first from typed) d
        where first < line and ({Names(key)}) is not null
        """;

    private string Taken(IReadOnlyList<ImportColumn> key) =>
        $"""
        insert into rejected
        select d.line, format('{Headers(key)} %s belongs to {Headers(table.Key)} %s already', {Values(key, "d")}, {Values(table.Key, "t")})
        from typed d join {table.Name} t on ({Names(key, "t")}) = ({Names(key, "d")}) and ({Names(table.Key, "t")}) <> ({Names(table.Key, "d")})
        """;

    private static string Broken(ImportRule rule) =>
        $"insert into rejected select line, {Literal($"breaks the rule {rule.Sql}")} from typed where not ({rule.Sql})";

    private string Dangling(ImportReference reference)
    {
        var column = reference.Column.Name;
        var reason = $"format('{reference.Column.Header} %s is not in {reference.Target}', {column})";
        var dangling = $"d.{column} is not null and not exists (select from {reference.Target} p where p.{reference.TargetKey} = d.{column})";
        if (!reference.ToItself) return $"insert into rejected select line, {reason} from typed d where {dangling}";

        // Rows may refer to rows of the same file, and a rejected row takes along those that refer to it.
        var key = table.Key.Single().Name;
        return
            $"""
            with recursive lost as (
                select line, {key}, {column} from typed d
                where {dangling} and not exists (
                    select from typed p where p.{key} = d.{column} and p.line not in (select line from rejected))
                union
                select d.line, d.{key}, d.{column} from typed d join lost on d.{column} = lost.{key} where {dangling})
            insert into rejected select line, {reason} from lost
            """;
    }

    private static string Each(IEnumerable<ImportColumn> columns, Func<ImportColumn, string> sql) => string.Join(", ", columns.Select(sql));

    private static string Names(IEnumerable<ImportColumn> columns, string? of = null) => Each(columns, c => of is null ? c.Name : $"{of}.{c.Name}");

    private static string Headers(IEnumerable<ImportColumn> columns) => Each(columns, c => c.Header);

    private static string Values(IEnumerable<ImportColumn> columns, string of) => $"concat_ws(', ', {Names(columns, of)})";

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
