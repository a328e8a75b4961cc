using System.ComponentModel.DataAnnotations;
using System.Diagnostics;

namespace Keelback.Web.Tests;

/// <summary>What rules and types that refuse in ways of their own do to a request: never more than a 400.</summary>
public sealed class RuleTests(WebApp web) : IClassFixture<WebApp>
{
    [Theory]
    [InlineData("price", "1000", true)]
    [InlineData("price", "1000.4", false)]
    [InlineData("price", "-0.1", false)]
    [InlineData("price", "100000000000000000000", false)]
    [InlineData("stock", "10", true)]
    [InlineData("stock", "10000000000", false)]
    [InlineData("weight", "1e300", false)]
    [InlineData("weight", "0.25", true)]
    [InlineData("weight", "0.2", false)]
    [InlineData("ratio", "79228162514264337593543950335", true)]
    [InlineData("ratio", "0", false)]
    [InlineData("tax", "0.19", true)]
    [InlineData("tax", "0.191", false)]
    [InlineData("count", "9223372036854775807", false)]
    public async Task A_range_holds_the_number_that_was_sent(string member, string number, bool isWithin)
    {
        var alone = await web.PostAsync("/priced", $$"""{"name": "x", "{{member}}": {{number}}}""");
        var beside = await web.PostAsync("/priced", $$"""{"name": 5, "{{member}}": {{number}}}""");

        if (isWithin) Assert.Equal(200, (int)alone.StatusCode);
        else await alone.ShouldBeProblem(400, $"/{member} range");
        await beside.ShouldBeProblem(400, isWithin ? ["/name type"] : ["/name type", $"/{member} range"]);
    }

    [Theory]
    [InlineData("""{"name": "x", "fussy": "boom"}""", "/fussy fussy")]
    [InlineData("""{"name": 5, "fussy": "boom"}""", "/name type", "/fussy fussy")]
    [InlineData("""{"name": "x", "slow": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}""", "/slow pattern")]
    [InlineData("""{"name": "x", "twin": "y"}""", "/twin twinOfName")]
    [InlineData("""{"name": 5, "twin": "y"}""", "/name type")]
    [InlineData("""{"name": "x", "maker": {"name": "  "}}""", " value")]
    [InlineData("""{"name": 5, "maker": {"name": "  "}}""", "/name type", "/maker value")]
    [InlineData("""{"name": "together"}""", " value")]
    public async Task A_rule_or_type_that_throws(string body, params string[] errors)
    {
        var answer = await web.PostAsync("/priced", body);

        await answer.ShouldBeProblem(400, errors);
    }

    [Theory]
    [InlineData("ids", "\"\"")]
    [InlineData("days", "\"2026-02-30\"")]
    [InlineData("times", "\"\\u0020\"")]
    [InlineData("kinds", "\"x\"")]
    public async Task A_body_full_of_errors_costs_no_more_than_its_first_hundred(string member, string element)
    {
        var elements = (1024 * 1024 - 64) / (element.Length + 1);
        var body = $$"""{"{{member}}": [{{string.Join(',', Enumerable.Repeat(element, elements))}}], "note": ""}""";
        await web.PostAsync("/moments", $$"""{"{{member}}": [{{element}}], "note": ""}""");

        var began = Stopwatch.GetTimestamp();
        var answer = await web.PostAsync("/moments", body);
        var took = Stopwatch.GetElapsedTime(began);

        await answer.ShouldBeProblem(400, [.. Enumerable.Range(0, 100).Select(i => $"/{member}/{i} {(member == "kinds" ? "enum" : "format")}")]);
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("""{"ids": ["0196f0a3-7e2b-7c4e-9b0f-3f1f6a0e7d11"], "days": ["2026-01-31"], "times": ["2026-01-31T23:59:59Z", "2026-01-31T23:59:59.5+01:00"], "note": "x"}""")]
    [InlineData("""{"ids": ["0196f0a3-7e2b-7c4e-9b0f-3f1f6a0e7d1\u0031"], "days": ["2026-01-3\u0031"], "times": ["2026-01-31T23:59:5\u0039Z"], "kinds": ["vinyl"]}""")]
    public async Task Times_and_ids_are_read_escaped_or_not(string body)
    {
        var answer = await web.PostAsync("/moments", body);

        Assert.Equal(200, (int)answer.StatusCode);
    }
}

public sealed record Priced(
    string Name,
    [Range(0, 1000)] decimal Price = 0,
    [Range(1, 10)] long Stock = 1,
    [Range(typeof(decimal), "0.25", "0.5")] double Weight = 0.25,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] decimal Ratio = 1,
    [Range(0, 0.19)] decimal Tax = 0,
    [Range(typeof(int), "0", "10")] ulong Count = 0,
    [Fussy] string? Fussy = null,
    [RegularExpression("(a+)+b", MatchTimeoutInMilliseconds = 50)] string? Slow = null,
    [TwinOfName] string? Twin = null,
    [Required(ErrorMessage = "Who made it?")] Maker? Maker = null) : IValidatableObject
{
    public Maker? Maker { get; init; } = Maker ?? new("someone");

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        yield return ValidationResult.Success!;
        if (Name == "together") throw new ArgumentException("No.");
    }
}

/// <summary>Refuses a blank name in the way of a mistake.</summary>
public sealed class Maker(string name)
{
    public string Name { get; } = name.Trim() is { Length: > 0 } trimmed ? trimmed : throw new InvalidOperationException("No name.");
}

public enum Kind
{
    Digital,
    Vinyl,
}

public sealed record Moments(
    List<Guid>? Ids = null, List<DateOnly>? Days = null, List<DateTime>? Times = null, List<Kind>? Kinds = null, [MinLength(1)] string? Note = null);

[AttributeUsage(AttributeTargets.Parameter)]
public sealed class FussyAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => value as string == "boom" ? throw new ArgumentException("No.") : true;
}

[AttributeUsage(AttributeTargets.Parameter)]
public sealed class TwinOfNameAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is null || ((Priced)validationContext.ObjectInstance).Name == (string)value ? ValidationResult.Success : new("Not the twin.");
}
