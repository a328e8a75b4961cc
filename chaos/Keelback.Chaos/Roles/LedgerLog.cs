using Microsoft.Extensions.Logging;

namespace Keelback.Chaos;

/// <summary>Puts into the ledger which warnings the engine logs, by their numbers: 1021 is a lost lease.</summary>
internal sealed class LedgerLog(Ledger ledger) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) ledger.Write("W", eventId.Id);
    }

    public void Dispose()
    {
    }
}
