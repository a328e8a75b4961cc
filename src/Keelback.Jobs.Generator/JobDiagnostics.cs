using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>Every diagnostic of this package. Each has an entry in docs/errors.md.</summary>
internal static class JobDiagnostics
{
    private const string Category = "Keelback.Jobs";

    public static readonly DiagnosticDescriptor NotPartial = Error("KBJ001", "A class with jobs is not partial",
        "'{0}' declares the job '{1}' and must be partial, so that the call '{0}.{1}(…)' can be added to it");

    public static readonly DiagnosticDescriptor NoToken = Error("KBJ002", "A job takes no CancellationToken last",
        "The job '{0}' must take a CancellationToken as its last parameter: timeouts, cancellation and shutdown reach it that way");

    public static readonly DiagnosticDescriptor WrongReturnType = Error("KBJ003", "A job does not return a Task",
        "The job '{0}' returns '{1}'; a job returns Task, or Task<T> when other jobs may use its result");

    public static readonly DiagnosticDescriptor UnsupportedType = Error("KBJ004", "A type cannot be part of a payload",
        "{0} of the job '{1}' is '{2}', which cannot be stored as JSON and read back: {3}");

    public static readonly DiagnosticDescriptor Generic = Error("KBJ005", "A job is generic",
        "The job '{0}' is generic, or declared in a generic type; a stored call could not name its type arguments");

    public static readonly DiagnosticDescriptor Unreachable = Error("KBJ006", "A worker could not call the job",
        "The job '{0}' cannot be called by a worker: {1}");

    public static readonly DiagnosticDescriptor DuplicateKind = Error("KBJ007", "Two jobs are of one kind",
        "The kind '{0}' is declared twice, by '{1}' and by '{2}'; give one of them a kind of its own: [Job(\"{0}2\")]",
        WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor Collision = Error("KBJ008", "The call of a job collides with a method",
        "'{0}' already has a method '{1}' with the parameters of the job without its token; rename one of them");

    public static readonly DiagnosticDescriptor OptionOutOfRange = Error("KBJ009", "An option of a job is out of range",
        "{0} of the job '{1}' is {2}; it must be {3}");

    public static readonly DiagnosticDescriptor EmptyArg = Error("KBJ010", "An argument is an empty Arg",
        "'{0}' makes an empty '{1}' here, which is neither a value nor a job; write '{2}' to pass a value");

    public static readonly DiagnosticDescriptor Discarded = new("KBJ011", "A job is described and thrown away",
        "'{0}' only describes a job, and nothing runs until it is enqueued: db.Enqueue(() => …), or await jobs.EnqueueAsync(…)",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Help("KBJ011"));

    public static readonly DiagnosticDescriptor ScheduledParameter = Error("KBJ012", "A scheduled job's parameter has no default",
        "The job '{0}' has a [Schedule], whose ticks give it no arguments: give '{1}' a default, or use AddSchedule, whose call has arguments");

    public static readonly DiagnosticDescriptor BadKey = Error("KBJ013", "A key cannot be made of a job's arguments",
        "The key '{0}' of the job '{1}' cannot be used: {2}");

    public static readonly DiagnosticDescriptor SecretInKey = Error("KBJ014", "A key names a secret",
        "The key '{0}' of the job '{1}' names its secret '{2}', and keys are stored and shown in the open; use another parameter");

    public static readonly DiagnosticDescriptor IdleAttribute = Error("KBJ015", "An attribute of jobs stands on no job",
        "[{0}] has no effect here: {1}");

    public static readonly DiagnosticDescriptor Answered = Error("KBJ016", "A job is described and answered",
        "This returns '{0}' to who takes any delegate, as MapPost does: the description would be the answer, and nothing runs until it is enqueued. Return await jobs.EnqueueAsync(…)");

    private static DiagnosticDescriptor Error(string id, string title, string message, params string[] tags) =>
        new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Help(id), customTags: tags);

    private static string Help(string id) => "docs/errors.md#" + id.ToLowerInvariant();
}
