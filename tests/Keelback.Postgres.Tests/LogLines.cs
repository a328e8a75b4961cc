using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Keelback.Postgres.Tests;

/// <summary>What a host logs, to be awaited or counted.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly Channel<LogLine> _lines = Channel.CreateUnbounded<LogLine>();

    public async Task<LogLine> NextAsync(int eventId)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            var line = await _lines.Reader.ReadAsync(deadline.Token);
            if (line.EventId == eventId) return line;
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(LogLevel level, EventId id, TState state, Exception? e, Func<TState, Exception?, string> format) =>
        _lines.Writer.TryWrite(new(id.Id, format(state, e)));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() => _lines.Writer.TryComplete();
}

internal sealed record LogLine(int EventId, string Text);
