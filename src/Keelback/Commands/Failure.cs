using Keelback.Ops;
using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace Keelback;

/// <summary>Tells a person why the process ends.</summary>
internal static class Failure
{
    public static int Report(Exception failure, TextWriter error, bool verbose)
    {
        error.WriteLine(TerminalText.Lines(Text(failure, verbose))); // a message may quote what a job or a server said
        return Shell.Failed;
    }

    private static string Text(Exception failure, bool verbose)
    {
        if (verbose) return failure.ToString();

        return failure switch
        {
            KeelbackException known => known.Message,
            AggregateException { InnerExceptions: [var only] } => Text(only, verbose),
            IOException { InnerException: AddressInUseException } => KeelbackErrors.AddressTaken(failure.Message, failure).Message,
            NpgsqlException { InnerException: { } inner } => $"PostgreSQL: {failure.Message} ({inner.Message})",
            NpgsqlException => $"PostgreSQL: {failure.Message}",
            _ => $"{failure.GetType().Name}: {failure.Message} ({StartArguments.VerboseFlag} shows where)",
        };
    }
}
