using Microsoft.Extensions.Options;

namespace Keelback.Web;

internal sealed class WebOptionsValidator : IValidateOptions<WebOptions>
{
    private const long Largest = 1024 * 1024 * 1024;

    public ValidateOptionsResult Validate(string? name, WebOptions options)
    {
        var wrong = new List<string>();
        if (options.MaxBodyBytes is < 1 or > Largest)
            wrong.Add($"Keelback:Web:{nameof(options.MaxBodyBytes)} ({options.MaxBodyBytes}) must be 1 to {Largest}: a JSON body is held in memory.");
        if (options.ContentSecurityPolicy.AsSpan().ContainsAny('\r', '\n'))
            wrong.Add($"Keelback:Web:{nameof(options.ContentSecurityPolicy)} holds a line break. Write the policy in one line.");

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
