using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Every section's names, values and rules.</summary>
internal sealed class SettingsCheck(IConfiguration configuration, IEnumerable<SettingsSection> sections, IServiceProvider services) : ICheck
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        var all = sections.ToList();
        foreach (var section in all)
        {
            var own = new Findings();
            section.Check(configuration, all, own);
            foreach (var finding in own.All) findings.Error(finding.Code, finding.Message, finding.Hint);

            // A value that does not read would end the binding at its first mistake; it is told above.
            if (own.All.Any(f => f.Code == KeelbackErrors.SettingUnreadable)) continue;

            foreach (var failure in Failures(section.Type)) findings.Error(KeelbackErrors.SettingRefused, failure);
        }

        return default;
    }

    private IEnumerable<string> Failures(Type type)
    {
        try
        {
            _ = ((IOptions<object>)services.GetRequiredService(typeof(IOptions<>).MakeGenericType(type))).Value;
            return [];
        }
        catch (OptionsValidationException e)
        {
            return e.Failures;
        }
    }
}
