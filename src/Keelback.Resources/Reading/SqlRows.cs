using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Resources;

/// <summary>Runs EF's statements without EF's reading: from the driver's rows straight to JSON, in one round trip.</summary>
internal sealed class SqlRows(DbContext db, JsonProjection projection)
{
    /// <summary>Writes the array of the page's rows; the count of <paramref name="all"/>, or null when the statement is not what the projection expects.</summary>
    public async Task<int?> TryWritePageAsync(IQueryable<int> all, IQueryable page, Utf8JsonWriter json, CancellationToken ct)
    {
        var count = all.CreateDbCommand();
        count.CommandText = $"select count(*)::int from (\n{count.CommandText}\n) as counted";
        if (Join(count, page.CreateDbCommand()) is not { } command) return null;

        await using var opened = await OpenAsync(ct);
        await using (command)
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            await row.ReadAsync(ct);
            var total = row.GetInt32(0);
            await row.NextResultAsync(ct);
            if (row.FieldCount != projection.Values.Count) return null;

            json.WriteStartArray();
            while (await row.ReadAsync(ct)) projection.Write(json, row);
            json.WriteEndArray();
            await json.DisposeAsync();
            return total;
        }
    }

    /// <summary>Writes one row after asking for its version.</summary>
    /// <remarks>The version comes first: a row that changes between the two statements gets a tag that matches nothing, which is safe.</remarks>
    public async Task<(bool Fits, bool IsThere, uint? Version)> TryWriteRowAsync(
        DbCommand? version, IQueryable row, Utf8JsonWriter json, CancellationToken ct)
    {
        var read = row.CreateDbCommand();
        if ((version is null ? (NpgsqlCommand)read : Join(version, read)) is not { } command) return default;

        await using var opened = await OpenAsync(ct);
        await using (command)
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            uint? xmin = null;
            if (version is not null)
            {
                if (await reader.ReadAsync(ct)) xmin = reader.GetFieldValue<uint>(0);
                await reader.NextResultAsync(ct);
            }

            if (reader.FieldCount != projection.Values.Count) return default;
            if (!await reader.ReadAsync(ct)) return (true, false, null);

            projection.Write(json, reader);
            await json.DisposeAsync();
            return (true, true, xmin);
        }
    }

    public static async Task<uint?> ReadVersionAsync(DbContext db, DbCommand? version, CancellationToken ct)
    {
        if (version is null) return null;

        await using var opened = await OpenConnection.OfAsync(db, ct);
        await using (version) return await version.ExecuteScalarAsync(ct) as uint?;
    }

    private Task<OpenConnection> OpenAsync(CancellationToken ct) => OpenConnection.OfAsync(db, ct);

    // Null when the two give one parameter's name to different values.
    private static NpgsqlCommand? Join(DbCommand first, DbCommand second)
    {
        var (joined, added) = ((NpgsqlCommand)first, (NpgsqlCommand)second);
        joined.CommandText += ";\n" + added.CommandText;
        var parameters = added.Parameters.ToArray<NpgsqlParameter>();
        added.Parameters.Clear();
        foreach (var parameter in parameters)
        {
            if (!joined.Parameters.TryGetValue(parameter.ParameterName, out var present)) joined.Parameters.Add(parameter);
            else if (present.NpgsqlDbType != parameter.NpgsqlDbType || !Equals(present.Value, parameter.Value)) return null;
        }

        return joined;
    }
}

/// <summary>Keeps a context's connection open for a while; its own, with its transaction.</summary>
internal sealed class OpenConnection(DbContext db) : IAsyncDisposable
{
    public static async Task<OpenConnection> OfAsync(DbContext db, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        return new(db);
    }

    public async ValueTask DisposeAsync() => await db.Database.CloseConnectionAsync();
}
