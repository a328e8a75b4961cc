using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Bench.Floors;

/// <summary>The floor of list and create: a minimal API as one writes it by hand for speed, with no framework between it and Npgsql.</summary>
/// <remarks>Statements are prepared by Npgsql, as on the other side; page and count come in one round trip.</remarks>
internal static class MinimalApi
{
    private const string Columns = "t.id, t.name, a.title, r.name, t.milliseconds, t.unit_price";
    private const string Joins = "join album a on a.id = t.album_id join artist r on r.id = a.artist_id";

    public static async Task<int> RunAsync(string connectionString)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(NpgsqlDataSource.Create(connectionString));

        await using var app = builder.Build();
        app.MapGet("/api/tracks", ListAsync);
        app.MapPost("/api/tracks", CreateAsync);
        await app.StartAsync();

        Child.Answer(new Uri(app.Urls.First()).Port.ToString(null as IFormatProvider));
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static async Task<Results<Ok<Page>, ValidationProblem>> ListAsync(
        HttpRequest request, NpgsqlDataSource db, CancellationToken ct, int? genreId = null, string ordering = "id", int page = 1, int pageSize = 50)
    {
        if (page < 1) return Refused("page", "Must be at least 1.");
        if (pageSize is < 1 or > 200) return Refused("pageSize", "Must be 1 to 200.");
        if (ordering is not ("id" or "name")) return Refused("ordering", "Must be id or name.");

        var where = genreId is null ? "" : "where t.genre_id = $1";
        await using var batch = db.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"select count(*) from track t {where}"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"select {Columns} from track t {Joins} {where} order by t.{ordering}, t.id limit {(genreId is null ? "$1 offset $2" : "$2 offset $3")}"));
        if (genreId is { } genre)
        {
            batch.BatchCommands[0].Parameters.Add(new NpgsqlParameter<int> { TypedValue = genre });
            batch.BatchCommands[1].Parameters.Add(new NpgsqlParameter<int> { TypedValue = genre });
        }

        batch.BatchCommands[1].Parameters.Add(new NpgsqlParameter<int> { TypedValue = pageSize });
        batch.BatchCommands[1].Parameters.Add(new NpgsqlParameter<int> { TypedValue = (page - 1) * pageSize });

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var count = row.GetInt64(0);

        var tracks = new List<TrackDto>(pageSize);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct)) tracks.Add(Read(row));

        return TypedResults.Ok(new Page(count,
            page * (long)pageSize < count ? Link(page + 1) : null, page > 1 ? Link(page - 1) : null, tracks));

        string Link(int number) => $"{request.Scheme}://{request.Host}/api/tracks?genreId={genreId}&ordering={ordering}&page={number}&pageSize={pageSize}";
    }

    private static async Task<Results<Created<TrackDto>, ValidationProblem>> CreateAsync(NewTrack track, NpgsqlDataSource db, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(track.Name) || track.Name.Length > 200) return Refused("name", "Must be 1 to 200 characters.");
        if (track.UnitPrice < 0) return Refused("unitPrice", "Must not be negative.");

        await using var command = db.CreateCommand(
            $"""
            with t as (
                insert into track (name, album_id, genre_id, milliseconds, unit_price) values ($1, $2, $3, $4, $5) returning *)
            select {Columns} from t {Joins}
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = track.Name });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = track.AlbumId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = track.GenreId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = track.Milliseconds });
        command.Parameters.Add(new NpgsqlParameter<decimal> { TypedValue = track.UnitPrice });

        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var made = Read(row);
        return TypedResults.Created($"/api/tracks/{made.Id}", made);
    }

    private static TrackDto Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetDecimal(5));

    private static ValidationProblem Refused(string name, string why) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [name] = [why] });

    private sealed record Page(long Count, string? Next, string? Previous, IReadOnlyList<TrackDto> Results);
}
