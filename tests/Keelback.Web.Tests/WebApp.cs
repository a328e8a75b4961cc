using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Web.Tests;

public sealed record Checkout(
    int CustomerId, [Length(1, 3)] List<Line> Lines, Address? ShipTo = null, Dictionary<string, int>? Extras = null, string[]? Notes = null);

public sealed record Line(int TrackId, [Range(1, 100)] int Quantity);

public sealed class Address : IValidatableObject
{
    public required string City { get; init; }

    [RegularExpression("[0-9]{5}")]
    public string? Zip { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (City == "Nowhere" && Zip is null) yield return new("Nowhere needs a zip.", [nameof(Zip)]);
    }
}

public sealed class OwnException : Exception;

/// <summary>Endpoints that fail in every way, in memory instead of on a port.</summary>
public sealed class WebApp : IAsyncLifetime
{
    private WebApplication _app = null!;

    public HttpClient Client { get; private set; } = null!;

    public LogLines Log { get; } = new();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Services.AddSingleton<IProblemMapper, OwnMapper>();
        new KeelbackBuilder(builder).AddWeb();

        _app = builder.Build();
        _app.UseSecurityHeaders();
        _app.UseProblems();
        _app.MapPost("/checkout", (Valid<Checkout> input) => Results.Ok(input.Value.Lines.Count));
        _app.MapPost("/checkout/{customer}", (int customer, bool? gift, DayOfWeek day, Valid<Checkout> input) => Results.Ok());
        _app.MapPost("/priced", (Valid<Priced> input) => Results.Ok());
        _app.MapPost("/moments", (Valid<Moments> input) => Results.Ok());
        _app.MapPost("/plain", (Checkout input) => Results.Ok());
        _app.MapPost("/echo", (Valid<Address> input) => Results.Ok(input.Value));
        _app.MapGet("/page", (int page, Guid? id) => Results.Ok(page));
        _app.MapGet("/throws", void () => throw new InvalidOperationException("secret text"));
        _app.MapGet("/throws/own", void () => throw new OwnException());
        _app.MapGet("/throws/problem", void () => throw new ProblemException(Problem.Conflict(FieldError.InParameter("id", "taken", "Taken."))));
        _app.MapGet("/problem", () => Problem.Input(FieldError.InBody("/a~1b", "x", "Y.")));
        _app.MapGet("/status/{status}", (int status) => Results.StatusCode(status));
        _app.MapGet("/nonce", (HttpContext http) => http.GetCspNonce());
        _app.MapGet("/own-policy", (HttpContext http) => http.Response.Headers.ContentSecurityPolicy = "default-src 'none'");
        await _app.StartAsync();
        Client = _app.GetTestClient();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, string type = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return Client.PostAsync(path, content);
    }

    private sealed class OwnMapper : IProblemMapper
    {
        public Problem? Map(Exception exception, HttpContext http) => exception is OwnException ? new(402, "Pay first.") : null;
    }
}
