using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Keelback.Web.Tests;

public sealed class ProblemTests(WebApp web) : IClassFixture<WebApp>
{
    [Theory]
    [InlineData("/page", 400, "page required")]
    [InlineData("/page?page=x&id=y", 400, "page type", "id type")]
    [InlineData("/page?page=2147483648", 400, "page type")]
    [InlineData("/nowhere", 404)]
    [InlineData("/throws", 500)]
    [InlineData("/throws/own", 402)]
    [InlineData("/throws/problem", 409, "id taken")]
    [InlineData("/problem", 400, "/a~1b x")]
    [InlineData("/status/403", 403)]
    [InlineData("/status/503", 503)]
    [InlineData("/checkout", 405)]
    public async Task Every_failure_is_a_problem_document(string path, int status, params string[] errors)
    {
        var answer = await web.Client.GetAsync(path);

        await answer.ShouldBeProblem(status, errors);
    }

    [Fact]
    public async Task A_wrong_method_is_told_the_right_ones()
    {
        var answer = await web.Client.GetAsync("/checkout");

        Assert.Equal(["POST"], answer.Content.Headers.Allow);
        Assert.Contains("GET is not allowed here; allowed: POST.", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_exception_is_logged_and_not_told()
    {
        var answer = await web.Client.GetAsync("/throws");

        var text = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", text);
        Assert.DoesNotContain("Exception", text);
        var traceId = JsonElement.Parse(text).GetProperty("traceId").GetString()!;
        Assert.Single(web.Log.Lines, l => l.Level == LogLevel.Error && l.Exception is InvalidOperationException && l.Text.Contains(traceId));
    }

    [Theory]
    [InlineData("/page?page=1")]
    [InlineData("/page?page=x")]
    [InlineData("/nowhere")]
    [InlineData("/throws")]
    [InlineData("/checkout")]
    [InlineData("/status/403")]
    public async Task Every_response_has_the_security_headers(string path)
    {
        var answer = await web.Client.GetAsync(path);

        string Header(string name) => string.Join("|", answer.Headers.GetValues(name));
        Assert.Equal("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", Header("Content-Security-Policy"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task HSTS_is_sent_over_https()
    {
        var answer = await web.Client.GetAsync("https://localhost/nowhere");

        Assert.Equal("max-age=31536000; includeSubDomains", answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    [Fact]
    public async Task A_nonce_is_in_the_policy_of_the_response_that_asked_for_it()
    {
        var first = await web.Client.GetAsync("/nonce");
        var second = await web.Client.GetStringAsync("/nonce");

        var nonce = await first.Content.ReadAsStringAsync();
        Assert.Contains($"script-src 'self' 'nonce-{nonce}'", first.Headers.GetValues("Content-Security-Policy").Single());
        Assert.NotEqual(nonce, second);
    }

    [Theory]
    [InlineData("default-src 'self'", "default-src 'self'; script-src 'self' 'nonce-N'; style-src 'self' 'nonce-N'")]
    [InlineData("script-src 'self' https://cdn.example; img-src *;", "script-src 'self' https://cdn.example 'nonce-N'; img-src *; style-src 'self' 'nonce-N'")]
    [InlineData("Style-Src 'none'; script-src 'none'", "Style-Src 'nonce-N'; script-src 'nonce-N'")]
    public void A_nonce_joins_the_directive_that_is_there(string policy, string with)
    {
        Assert.Equal(with, CspPolicy.With(policy, new CspNonce("N")));
    }

    [Fact]
    public async Task An_endpoint_keeps_a_policy_of_its_own()
    {
        var answer = await web.Client.GetAsync("/own-policy");

        Assert.Equal("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
    }
}
