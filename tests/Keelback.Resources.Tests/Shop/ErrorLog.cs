using Microsoft.Extensions.Logging;

namespace Keelback.Resources.Tests.Shop;

/// <summary>Keeps the last exception that was logged, so that a failing test can show it.</summary>
internal sealed class ErrorLog : ILoggerProvider, ILogger
{
    public Exception? Last { get; private set; }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Last = exception ?? Last;

    public void Dispose()
    {
    }
}
