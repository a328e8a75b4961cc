using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Resources.Tests.Shop;

/// <summary>The shop on a database of its own, with a few rows, in memory instead of on a port.</summary>
public sealed class ShopApp : IAsyncLifetime
{
    internal static readonly TestTemplate Template = new("shop", async (db, ct) =>
    {
        await using var shop = new ShopDb(new DbContextOptionsBuilder<ShopDb>().UseNpgsql(db).UseKeelback().Options);
        await shop.Database.EnsureCreatedAsync(ct);
        shop.AddRange(Rows());
        await shop.SaveChangesAsync(ct);
    });

    private Func<Exception?> _lastError = null!;
    private TestDatabase _database = null!;
    private WebApplication _app = null!;

    public HttpClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(Template);
        var errors = new ErrorLog();
        _lastError = () => errors.Last;
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders().AddProvider(errors);
        AddShop(builder, _database.DataSource);

        _app = builder.Build();
        _app.UseSecurityHeaders();
        _app.UseProblems();
        _app.MapResource<TrackResource>("/api/tracks").AllowAnonymous();
        _app.MapResource<OwnTrackResource>("/api/own").AllowAnonymous();
        _app.MapResource<GenreResource>("/api/genres").AllowAnonymous();
        _app.MapResource<AlbumResource>("/api/albums").AllowAnonymous();
        _app.MapResource<LabelResource>("/api/labels").AllowAnonymous();
        _app.MapResource<NoteResource>("/api/notes").AllowAnonymous();
        _app.MapApiDocs().AllowAnonymous();
        await _app.StartAsync();
        Client = _app.GetTestClient();
    }

    internal static void AddShop(WebApplicationBuilder builder, NpgsqlDataSource database)
    {
        builder.Services.AddDbContext<ShopDb>(o => o.UseNpgsql(database).UseKeelback());
        builder.Services.AddScoped<DbContext>(sp => sp.GetRequiredService<ShopDb>());
        new KeelbackBuilder(builder).AddResources();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        var answer = await Client.GetAsync(path);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {_lastError()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? json = null, string type = "application/json", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (json is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
            if (type.Length > 0) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        foreach (var (name, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await Client.SendAsync(request);
    }

    public async Task<T> SqlAsync<T>(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Changes when any row of any table does.</summary>
    public Task<string> ChecksumAsync() => SqlAsync<string>(
        """
        select md5(
            (select coalesce(string_agg(x.xmin || x::text, ',' order by id), '') from tracks x) ||
            (select coalesce(string_agg(x.xmin || x::text, ',' order by id), '') from albums x) ||
            (select coalesce(string_agg(x.xmin || x::text, ',' order by id), '') from genres x) ||
            (select coalesce(string_agg(x.xmin || x::text, ',' order by code), '') from labels x) ||
            (select coalesce(string_agg(x.xmin || x::text, ',' order by id), '') from notes x))
        """);

    private static IEnumerable<object> Rows()
    {
        var (rock, jazz) = (new Genre { Name = "Rock" }, new Genre { Name = "Jazz" });
        var blue = new Album { Title = "Kind of Blue", ReleasedOn = new DateOnly(1959, 8, 17) };
        var love = new Album { Title = "Love 100%" };
        var added = new DateTime(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc);

        Track Track(string name, Album album, Genre? genre, decimal price) => new()
        {
            Name = name,
            Album = album,
            Genre = genre,
            UnitPrice = price,
            AddedAt = added,
            LocalTime = DateTime.SpecifyKind(added, DateTimeKind.Unspecified),
            Medium = price > 1 ? Medium.Vinyl : Medium.Digital,
            Owner = price > 1 ? "ada" : "bob",
            Secret = "s3cret",
        };

        return
        [
            rock, jazz, blue, love,
            Track("So What", blue, jazz, 1.99m),
            Track("Freddie", blue, jazz, 0.99m),
            Track("Blue in Green", blue, null, 0.99m),
            Track("Love_song", love, rock, 0.50m),
            Track("Zebra \"x\" <é>", love, rock, 2.50m),
            new Label { Code = "blue", Name = "Blue Note" },
            new Label { Code = "a b", Name = "With space" },
        ];
    }
}
