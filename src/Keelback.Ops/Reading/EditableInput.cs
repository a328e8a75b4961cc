using System.Text;
using Keelback.Jobs;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Ops;

/// <summary>A run's arguments as they are stored, for another run like it.</summary>
internal sealed class EditableInput(NpgsqlDataSource db, QueueCatalog catalog, IOptions<JobsOptions> options)
{
    /// <summary>Bytes that a form shows: a browser must hold them, and what comes back is longer by its white space.</summary>
    public const int MostInForm = 2 * 1024 * 1024;

    /// <summary>Those that its call said, without the results of other runs. Null: there is no such run.</summary>
    public async Task<string?> OwnAsync(long run, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            "select r.input::text from keelback.run r join keelback.queue q on q.id = r.queue and q.app = $2 where r.id = $1");
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(catalog.App);
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>All of them, or those of its call where that cannot be.</summary>
    public async Task<string> KnownAsync(long run, string own, CancellationToken ct)
    {
        try
        {
            return await WholeAsync(run, inForm: false, ct) ?? own;
        }
        catch (KeelbackException e) when (e.Code is "KB1725" or "KB1726")
        {
            return own;
        }
    }

    /// <summary>All of them, the results of other runs included, without white space. Null: there is no such run.</summary>
    /// <exception cref="KeelbackException">KB1725: they are more than a new run may have, or than a form holds. KB1726: a result is not there.</exception>
    public async Task<string?> WholeAsync(long run, bool inForm, CancellationToken ct)
    {
        var most = inForm ? Math.Min(MostInForm, options.Value.MaxPayload) : options.Value.MaxPayload;
        await using var command = db.CreateCommand(
            """
            with r as materialized (
                select r.input, r.ups, r.params from keelback.run r join keelback.queue q on q.id = r.queue and q.app = $2 where r.id = $1
            ), missing as (
                select rtrim(b.param, '[]!?') as name, b.up, u.state is null as is_gone
                from r cross join lateral unnest(r.ups, r.params) with ordinality b (up, param, ord)
                left join lateral (select state from keelback.run where id = b.up limit 1) u on true
                where b.param <> '' and (u.state is null or u.state = 0 or (u.state <> 1 and b.param !~ '[!?]'))
                order by b.ord limit 1
            ), whole as materialized (
                select case when ups is null then input when not exists (select from missing) then keelback.bound_input(input, ups, params) end::text as input from r
            )
            select octet_length(w.input), case when octet_length(w.input) <= $3 then w.input end, m.name, m.up, m.is_gone
            from whole w left join missing m on true
            """);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.AddWithValue(2L * most); // jsonb's text has a space after each comma and colon
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        if (!row.IsDBNull(2)) throw OpsErrors.ResultNotThere(run, row.GetString(2), row.GetInt64(3), row.GetBoolean(4));
        if (row.IsDBNull(1)) throw OpsErrors.ArgumentsTooLarge(run, row.IsDBNull(0) ? null : row.GetInt32(0), most, options.Value.MaxPayload);

        var whole = CompactJson.Of(row.GetString(1));
        var size = Encoding.UTF8.GetByteCount(whole);
        return size <= most ? whole : throw OpsErrors.ArgumentsTooLarge(run, size, most, options.Value.MaxPayload);
    }
}
