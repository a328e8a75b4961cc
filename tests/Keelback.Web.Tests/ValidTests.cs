using System.Net;

namespace Keelback.Web.Tests;

public sealed class ValidTests(WebApp web) : IClassFixture<WebApp>
{
    [Fact]
    public async Task A_right_body_reaches_the_endpoint()
    {
        var answer = await web.PostAsync("/checkout",
            """{"customerId": 1, "lines": [{"trackId": 1, "quantity": 2}, {"quantity": 1, "trackId": 2}], "shipTo": {"city": "Ulm", "zip": "89073"}, "extras": {"gift": 1}, "notes": ["a"]}""");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("2", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{"customerId": "1", "lines": [{"trackId": 1.5, "quantity": 0}, {}, 5], "shipTo": {"zip": 1}}""",
        "/customerId type", "/lines/0/trackId type", "/lines/0/quantity range", "/lines/1/trackId required", "/lines/1/quantity required",
        "/lines/2 type", "/shipTo/zip type", "/shipTo/city required")]
    [InlineData("""{"customerId": 1, "lines": [{"trackId": 1, "quantity": 0}, {"trackId": 1, "quantity": 101}], "shipTo": {"city": "Ulm", "zip": "x"}}""",
        "/lines/0/quantity range", "/lines/1/quantity range", "/shipTo/zip pattern")]
    [InlineData("""{"customerId": 1, "lines": [], "shipTo": {"city": "Nowhere"}}""", "/lines length", "/shipTo/zip value")]
    [InlineData("""{"customerId": 1, "lines": [null], "notes": [null, 5], "extras": {"a/b": "x", "c": null, "a/b": 1}}""",
        "/lines/0 null", "/notes/0 null", "/notes/1 type", "/extras/a~1b type", "/extras/c null", "/extras/a~1b duplicate")]
    [InlineData("""{"customerid": 1, "lines": [{"trackId": 1, "quantity": 1, "price": 0}]}""",
        "/customerid unknown", "/lines/0/price unknown", "/customerId required")]
    public async Task All_errors_are_told_at_once_at_any_depth(string body, params string[] errors)
    {
        var answer = await web.PostAsync("/checkout", body);

        await answer.ShouldBeProblem(400, errors);
    }

    [Fact]
    public async Task A_misspelt_member_gets_its_nearest_name()
    {
        var answer = await web.PostAsync("/checkout", """{"custmerId": 1, "lines": [{"trackId": 1, "quantity": 1}]}""");

        Assert.Contains("No member has this name. Did you mean 'customerId'?", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Wrong_parameters_are_told_beside_a_wrong_body()
    {
        var answer = await web.PostAsync("/checkout/x?gift=perhaps&day=Noday", """{"customerId": 1}""");

        await answer.ShouldBeProblem(400, "customer type", "gift type", "day type", "/lines required");
    }

    [Theory]
    [InlineData("", 400, " required")]
    [InlineData("{", 400, " json")]
    [InlineData("\"\u00e4", 400, " json")]
    public async Task A_broken_body(string body, int status, params string[] errors)
    {
        var answer = await web.PostAsync("/checkout", body);

        await answer.ShouldBeProblem(status, errors);
    }

    [Fact]
    public async Task Broken_JSON_is_told_by_line_and_byte()
    {
        var answer = await web.PostAsync("/checkout", "{\n  \"customerId\": 1,,\n}");

        Assert.Contains("The JSON is broken at line 2, byte 19.", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_of_another_type_or_size_is_refused()
    {
        var text = await web.PostAsync("/checkout", "{}", "text/plain");
        var large = await web.PostAsync("/checkout", new string(' ', 1024 * 1024 + 1));

        await text.ShouldBeProblem(415, "Content-Type contentType");
        await large.ShouldBeProblem(413, " size");
    }

    [Fact]
    public async Task A_plain_body_parameter_names_the_first_place_at_least()
    {
        var answer = await web.PostAsync("/plain", """{"customerId": 1, "lines": [{"trackId": "x", "quantity": 1}]}""");

        await answer.ShouldBeProblem(400, "/lines/0/trackId type");
    }
}
