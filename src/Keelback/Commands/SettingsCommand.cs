using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>The settings as they are in effect.</summary>
[Command("settings", "Print the settings in effect, with secrets masked")]
internal sealed class SettingsCommand(IEnumerable<SettingsSection> sections, IServiceProvider services) : Command
{
    public override async Task<int> RunAsync(CancellationToken ct)
    {
        foreach (var section in sections.OrderBy(s => s.Path, StringComparer.Ordinal))
        {
            var options = (IOptions<object>)services.GetRequiredService(typeof(IOptions<>).MakeGenericType(section.Type));
            foreach (var (key, value) in SettingsPrinter.Lines(section.Path, options.Value))
                await Output.WriteLineAsync($"{key} = {SecretMask.Value(key, value)}");
        }

        return 0;
    }
}
