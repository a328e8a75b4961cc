using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>One line that a run logged.</summary>
/// <param name="Attempt">Which attempt.</param>
/// <param name="At">By the worker's clock.</param>
/// <param name="Level">As it was logged.</param>
/// <param name="Category">The logger's name.</param>
/// <param name="Message">The text, with the exception's when there was one; cut at 4,000 characters.</param>
public sealed record RunLogLine(int Attempt, DateTimeOffset At, LogLevel Level, string Category, string Message);
