using System.Text.Json;

namespace Keelback.Resources.Tests;

internal static class ProblemAssert
{
    /// <summary>The answer is a problem document that names exactly these places and codes, such as <c>/name length</c>.</summary>
    public static async Task ShouldBeProblem(this HttpResponseMessage answer, int status, params string[] errors)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode} {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);

        var problem = JsonElement.Parse(text);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEqual("", problem.GetProperty("traceId").GetString());
        Assert.NotEqual("", problem.GetProperty("title").GetString());
        Assert.Equal(errors, Errors(problem));
    }

    private static IEnumerable<string> Errors(JsonElement problem) =>
        problem.TryGetProperty("errors", out var errors)
            ? errors.EnumerateArray().Select(e => $"{Place(e)} {e.GetProperty("code").GetString()}")
            : [];

    private static string? Place(JsonElement error) =>
        error.TryGetProperty("pointer", out var pointer) ? pointer.GetString() : error.GetProperty("parameter").GetString();
}
