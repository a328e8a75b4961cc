using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Keelback.Resources.Tests.Shop;
using Keelback.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Keelback.Resources.Tests;

/// <summary>On a real port: the server in memory takes headers that Kestrel refuses.</summary>
public sealed class LocationTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private WebApplication _app = null!;

    private HttpClient Client { get; set; } = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(ShopApp.Template);
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        ShopApp.AddShop(builder, _database.DataSource);

        _app = builder.Build();
        _app.UseProblems();
        _app.UsePathBase("/späti");
        _app.UseRouting();
        _app.MapResource<LabelResource>("/shops/{shop}/labels").AllowAnonymous();
        await _app.StartAsync();
        Client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("/shops/ulm/labels", "x", "/shops/ulm/labels/x")]
    [InlineData("/shops/ulm/labels/", "y", "/shops/ulm/labels/y")]
    [InlineData("/shops/m%C3%BCnchen/labels", "ü/ %?", "/shops/m%C3%BCnchen/labels/%C3%BC%2F%20%25%3F")]
    [InlineData("/shops/a%0d%0ab/labels", "z", "/shops/a%0D%0Ab/labels/z")]
    [InlineData("/shops/a%2Fb%20%3F/labels", "a b c", "/shops/a%2Fb%20%3F/labels/a%20b%20c")]
    [InlineData("/sp%C3%A4ti/shops/ulm/labels", "q", "/sp%C3%A4ti/shops/ulm/labels/q")]
    public async Task The_address_of_a_new_row_is_escaped_as_it_came(string path, string code, string location)
    {
        var answer = await Client.PostAsJsonAsync(path, new { code, name = "New" });

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(location, answer.Headers.Location!.OriginalString);
        if (!code.Contains('/')) // Kestrel keeps an escaped slash escaped, so no path leads to such a key
            Assert.Equal(code, (await Client.GetFromJsonAsync<JsonElement>(location)).GetProperty("code").GetString());
    }
}
