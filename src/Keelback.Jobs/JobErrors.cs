namespace Keelback.Jobs;

/// <summary>Every error this package raises. Codes KB1200-KB1299.</summary>
internal static class JobErrors
{
    public static KeelbackException PayloadLacks(string parameter, Type type) => new("KB1204",
        $"The payload has no '{parameter}', and the method's parameter of type {type.Name} has no default. " +
        "Give new parameters a default, so that rows written by older code still run.");

    public static KeelbackException PayloadDoesNotFit(string parameter, Type type, Exception inner) => new("KB1205",
        $"The payload's '{parameter}' does not read as {type.Name}: {inner.Message} " +
        "Keep the old shape readable, or give the job a new kind.", inner);

    public static KeelbackException EmptyArgument(string parameter) => new("KB1250",
        $"The argument '{parameter}' is an Arg that holds neither a value nor a job: it was made by new() or default. " +
        "Pass a value of the parameter's type, or the job whose result it is.");
}
