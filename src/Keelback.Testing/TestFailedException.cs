namespace Keelback.Testing;

/// <summary>What a test expected is not so; the message shows both.</summary>
public sealed class TestFailedException(string message) : Exception(message);
