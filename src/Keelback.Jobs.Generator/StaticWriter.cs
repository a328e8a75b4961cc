namespace Keelback.Jobs.Generator;

/// <summary>Writes the statics that describe a call of one job.</summary>
/// <remarks>
/// One over plain types, which literals, null, collection expressions and method groups bind to; one over Arg, for the results of
/// other jobs. C# converts neither interfaces nor collection expressions to an Arg, so list and interface parameters also come
/// as they are beside the others' Args. Each Arg lowers an overload's priority, so that the plainest that fits is taken.
/// </remarks>
internal static class StaticWriter
{
    /// <summary>Three such parameters make 8 overloads; with more of them there are the two.</summary>
    private const int MaxPlainBesideArgs = 3;

    private const int MaxLine = 120;

    public static void Write(SourceLines code, JobModel job, string kind)
    {
        foreach (var isArg in Overloads(job.Parameters))
        {
            WriteDocs(code, job, isArg.Contains(true));
            var args = isArg.Count(arg => arg);
            if (args > 0) code.Line($"[global::System.Runtime.CompilerServices.OverloadResolutionPriority(-{args})]");
            WriteSignature(code, job, isArg);
            WriteBody(code, job, isArg, kind);
            code.Line();
        }
    }

    /// <summary>Per overload, which parameters are an Arg; the plain one first.</summary>
    private static IEnumerable<IReadOnlyList<bool>> Overloads(EquatableArray<JobParameter> parameters)
    {
        yield return [.. parameters.Select(_ => false)];
        if (parameters.Count == 0) yield break;

        var free = Enumerable.Range(0, parameters.Count).Where(i => parameters[i].NeedsPlainOverload).ToList();
        if (free.Count > MaxPlainBesideArgs) free.Clear();

        for (var choice = 0; choice < 1 << free.Count; choice++)
        {
            var isArg = Enumerable.Repeat(true, parameters.Count).ToArray();
            for (var bit = 0; bit < free.Count; bit++) isArg[free[bit]] = (choice >> bit & 1) == 0;
            if (isArg.Contains(true)) yield return isArg;
        }
    }

    private static void WriteDocs(SourceLines code, JobModel job, bool isOverArgs)
    {
        var what = isOverArgs
            ? "Describes a call whose arguments may be the results of other jobs; nothing runs until it is enqueued."
            : "Describes a call; nothing runs until it is enqueued.";

        if (job.DocumentationId is null)
        {
            code.Line($"/// <summary>{what}</summary>");
            return;
        }

        code.Line($"/// <inheritdoc cref=\"{job.DocumentationId}\"/>");
        code.Line($"/// <remarks>{what}</remarks>");
    }

    private static void WriteSignature(SourceLines code, JobModel job, IReadOnlyList<bool> isArg)
    {
        var start = $"{job.Access} static {Returned(job)} {job.Method}(";
        var line = start + string.Join(", ", job.Parameters.Select((p, i) => Declare(p, isArg[i]))) + ") =>";
        if (line.Length <= MaxLine && !job.Parameters.Where((p, i) => isArg[i] && IsLenient(p)).Any())
        {
            code.Line(line);
            return;
        }

        code.Line(start);
        for (var i = 0; i < job.Parameters.Count; i++)
        {
            var lenient = isArg[i] && IsLenient(job.Parameters[i]);
            if (lenient) code.Line("#nullable disable annotations // takes null, and the result of a job that never returns null");
            code.Line($"    {Declare(job.Parameters[i], isArg[i])}{(i + 1 < job.Parameters.Count ? "," : ") =>")}");
            if (lenient) code.Line("#nullable restore annotations");
        }
    }

    /// <summary>Arg is not covariant, so that a Job&lt;string&gt; would not fit an Arg&lt;string?&gt;.</summary>
    private static bool IsLenient(JobParameter p) => p is { IsNullableReference: true, Item: null };

    private static string Declare(JobParameter p, bool isArg) => isArg
        ? $"{(IsLenient(p) ? p.BareArg : p.Arg)} {p.Name}{(p.Default is null ? "" : " = default")}"
        : $"{p.Type} {p.Name}{(p.Default is null ? "" : " = " + p.Default)}";

    private static void WriteBody(SourceLines code, JobModel job, IReadOnlyList<bool> isArg, string kind)
    {
        code.Line("    new global::Keelback.Jobs.JobPayload()");
        for (var i = 0; i < job.Parameters.Count; i++)
        {
            var p = job.Parameters[i];
            var json = ClassWriter.Quote(p.Json);
            code.Line(isArg[i] && p.Default is not null
                ? $"        .Add<{p.Item ?? p.Type}>({json}, {p.Name}, {p.Default})"
                : $"        .Add({json}, {p.Name})");
        }

        code.Line($"        .ToJob{(job.Result is null ? "" : $"<{job.Result}>")}({ClassWriter.Kinds}.{kind});");
    }

    private static string Returned(JobModel job) =>
        "global::Keelback.Jobs.Job" + (job.Result is null ? "" : $"<{job.Result}>");
}
