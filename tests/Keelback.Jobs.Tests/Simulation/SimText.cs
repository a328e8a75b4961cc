using System.Globalization;
using System.Runtime.CompilerServices;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>A text whose holes are only looked into when somebody will read it: most seeds have nothing to tell.</summary>
[InterpolatedStringHandler]
internal ref struct SimText
{
    private DefaultInterpolatedStringHandler _text;

    public SimText(int literals, int holes, bool isUnread, out bool isRead)
    {
        isRead = !isUnread;
        if (isRead) _text = new(literals, holes, CultureInfo.InvariantCulture);
    }

    public SimText(int literals, int holes, Simulation simulation, out bool isRead)
        : this(literals, holes, !simulation.IsTold, out isRead)
    {
    }

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);

    public override string ToString() => _text.ToStringAndClear();
}
