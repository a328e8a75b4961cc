using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>One attempt's lines on their way: so many, and then how many more there were.</summary>
internal sealed class RunLogBuffer(RunLogSink sink, Claim claim, int mostLines)
{
    private const int MostBytes = 64 * 1024;
    private const int MostCharacters = 4000;

    private int _lines;
    private int _bytes;
    private int _more;

    public void Add(LogLevel level, string category, string message, Exception? e)
    {
        var text = e is null ? message : $"{message}\n{e}";
        if (text.Length > MostCharacters) text = text[..MostCharacters];
        var n = Interlocked.Increment(ref _lines);
        if (n > mostLines || Interlocked.Add(ref _bytes, text.Length) > MostBytes) Interlocked.Increment(ref _more);
        else sink.Write(claim, n, level, category, text);
    }

    /// <summary>After the attempt: says what was left out.</summary>
    public void End()
    {
        if (_more > 0) sink.Write(claim, int.MaxValue, LogLevel.Information, "Keelback.Jobs", $"… {_more} more lines");
    }
}
