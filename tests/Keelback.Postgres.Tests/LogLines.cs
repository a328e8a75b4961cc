using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Keelback.Postgres.Tests;

/// <summary>What a host logs, to be awaited or counted.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly Channel<LogLine> _lines = Channel.CreateUnbounded<LogLine>();
    private readonly ConcurrentQueue<LogLine> _all = new();

    public int Count(int eventId) => _all.Count(line => line.EventId == eventId);

    public async Task<LogLine> NextAsync(int eventId)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var line = await _lines.Reader.ReadAsync(deadline.Token);
            if (line.EventId == eventId) return line;
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(LogLevel level, EventId id, TState state, Exception? e, Func<TState, Exception?, string> format)
    {
        var line = new LogLine(id.Id, format(state, e));
        _all.Enqueue(line);
        _lines.Writer.TryWrite(line);
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() => _lines.Writer.TryComplete();
}

internal sealed record LogLine(int EventId, string Text);
