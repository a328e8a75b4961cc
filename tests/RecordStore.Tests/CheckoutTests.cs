using System.Net;
using System.Text;
using System.Text.Json;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;

namespace RecordStore.Tests;

public sealed class CheckoutTests : KeelbackTest<Program>
{
    private StoreDb Db => Get<StoreDb>();

    [Fact]
    public async Task A_checkout_writes_the_invoice_and_then_its_receipt()
    {
        var customer = await Make<Customer>(c => c.Email = "ada@example.com");
        var cheap = await Make<Track>(t => t.UnitPrice = 0.99m);
        var dear = await Make<Track>(t => t.UnitPrice = 1.99m);

        var response = await Client.PostAsync("/api/checkout", new
        {
            customerId = customer.Id,
            lines = new[] { new { trackId = cheap.Id, quantity = 2 }, new { trackId = dear.Id, quantity = 1 } },
        });

        await response.ShouldBe(201);
        var receipt = await response.ReadAsync<CheckoutReceipt>();
        Assert.Equal($"/api/invoices/{receipt.InvoiceId}", response.Headers.Location!.OriginalString);
        Assert.Equal(3.97m, receipt.Total);
        await (await Client.GetAsync(response.Headers.Location)).ShouldBe(200);

        Assert.Empty(Mail);
        Assert.Equal(2, await Jobs.DrainAsync()); // writes the receipt, then delivers it
        Assert.Equal(["ada@example.com"], Mail.Single().To);
        Assert.Contains("Total: 3.97", Mail.Single().Text);
        Assert.NotNull((await Db.Mails.SingleAsync()).DeliveredAt);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_named_at_once()
    {
        var track = await Make<Track>();

        var response = await Client.PostAsync("/api/checkout", new
        {
            customerId = 0,
            lines = new[] { new { trackId = -1, quantity = 1 }, new { trackId = track.Id, quantity = 1 }, new { trackId = -2, quantity = 1 } },
        });

        await response.ShouldBe(400);
        Assert.Equal(["/customerId", "/lines/0/trackId", "/lines/2/trackId"], await PointersAsync(response));
        Assert.Equal(0, await Jobs.DrainAsync());
    }

    [Theory]
    [InlineData("""{"customerId":1,"lines":[]}""", "/lines")]
    [InlineData("""{"customerId":1,"lines":null}""", "/lines")]
    [InlineData("""{"customerId":1,"lines":[null]}""", "/lines/0")]
    [InlineData("""{"customerId":1,"lines":{}}""", "/lines")]
    [InlineData("""{"customerId":1}""", "/lines")]
    [InlineData("""{"customerId":"one","lines":[{"trackId":1,"quantity":1}]}""", "/customerId")]
    [InlineData("""{"customerId":1.5,"lines":[{"trackId":1,"quantity":1}]}""", "/customerId")]
    [InlineData("""{"customerId":9223372036854775808,"lines":[{"trackId":1,"quantity":1}]}""", "/customerId")]
    [InlineData("""{"customerId":1,"lines":[{"trackId":1,"quantity":0},{"trackId":1,"quantity":1001}]}""", "/lines/0/quantity /lines/1/quantity")]
    [InlineData("""{"customerId":1,"lines":[{"quantity":1},{"trackId":true,"quantity":"1"}]}""", "/lines/0/trackId /lines/1/trackId /lines/1/quantity")]
    [InlineData("""{"customerId":1,"lines":[{"trackId":1,"quantity":1}],"total":0}""", "/total")]
    [InlineData("""{"customerId":1,"customerId":2,"lines":[{"trackId":1,"quantity":1}]}""", "/customerId")]
    public async Task A_body_that_does_not_fit_is_told_where(string body, string pointers)
    {
        var response = await Client.PostAsync("/api/checkout", Json(body));

        await response.ShouldBe(400);
        Assert.Equal(pointers.Split(' '), await PointersAsync(response));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\0")]
    public async Task What_is_no_order_is_refused(string body) => await (await Client.PostAsync("/api/checkout", Json(body))).ShouldBe(400);

    [Fact]
    public async Task Another_content_type_is_refused() => Assert.Equal(
        HttpStatusCode.UnsupportedMediaType,
        (await Client.PostAsync("/api/checkout", new StringContent("customerId=1", Encoding.UTF8, "application/x-www-form-urlencoded"))).StatusCode);

    [Fact]
    public async Task A_hundred_and_one_lines_are_too_many()
    {
        var lines = Enumerable.Range(1, 101).Select(n => new { trackId = n, quantity = 1 });

        var response = await Client.PostAsync("/api/checkout", new { customerId = 1, lines });

        await response.ShouldBe(400);
        Assert.Equal(["/lines"], await PointersAsync(response));
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<IEnumerable<string>> PointersAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = await response.ReadAsync<JsonElement>();
        return [.. problem.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("pointer").GetString()!)];
    }
}
