using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>What must hold for a method with [Job]. The generator leaves out what the analyzer reports.</summary>
internal static class JobRules
{
    private static readonly Regex s_timeout = new(@"^(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d{1,7})?$", RegexOptions.CultureInvariant);

    public static IEnumerable<Diagnostic> Check(IMethodSymbol method, AttributeData job) =>
        Shape(method).Concat(Options(method, job)).Concat(Retries(method)).Concat(Schedules(method)).Concat(KeyRules.Check(method, job));

    /// <summary>What keeps the generator from adding the call.</summary>
    public static IEnumerable<Diagnostic> Shape(IMethodSymbol method)
    {
        var (name, type) = (JobSymbols.NameOf(method), method.ContainingType);

        if (method.IsGenericMethod || JobSymbols.SelfAndOuter(type).Any(t => t.IsGenericType))
        {
            yield return At(method, JobDiagnostics.Generic, name);
            yield break;
        }

        if (Unreachable(method) is { } reason) yield return At(method, JobDiagnostics.Unreachable, name, reason);

        foreach (var outer in JobSymbols.SelfAndOuter(type).Where(t => !JobSymbols.IsPartial(t)))
            yield return At(outer, JobDiagnostics.NotPartial, JobSymbols.NameOf(outer), method.Name);

        if (!JobSymbols.ReturnsTask(method))
            yield return At(method, JobDiagnostics.WrongReturnType, name, method.ReturnType.ToDisplayString());
        else if (JobSymbols.ResultOf(method) is { } result && PayloadType.WhyNot(result) is { } unread)
            yield return At(method, JobDiagnostics.UnsupportedType, "The result", name, result.ToDisplayString(), unread);

        if (method.Parameters.IsEmpty || !JobSymbols.IsToken(method.Parameters[method.Parameters.Length - 1].Type))
        {
            yield return At(method, JobDiagnostics.NoToken, name);
            yield break;
        }

        foreach (var parameter in JobSymbols.PayloadOf(method))
        {
            var why = parameter.RefKind == RefKind.None ? PayloadType.WhyNot(parameter.Type) : "it is passed by reference";
            if (why is not null)
            {
                yield return At(parameter, JobDiagnostics.UnsupportedType,
                    $"Parameter '{parameter.Name}'", name, parameter.Type.ToDisplayString(), why);
            }
        }

        if (Collides(method)) yield return At(method, JobDiagnostics.Collision, JobSymbols.NameOf(type), method.Name);
    }

    private static string? Unreachable(IMethodSymbol method)
    {
        var (type, name) = (method.ContainingType, JobSymbols.NameOf(method.ContainingType));

        if (method.MethodKind != MethodKind.Ordinary) return "it implements an interface explicitly";
        if (type.TypeKind != TypeKind.Class) return $"'{name}' is not a class";
        if (JobSymbols.SelfAndOuter(type).Any(t => t.IsFileLocal || t.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal)))
            return $"'{name}' is not visible in its assembly; make it internal or public";
        if (method.IsStatic) return null;
        if (type.IsAbstract) return $"'{name}' is abstract, so no object of it can be made";

        return type.InstanceConstructors.Any(c => c.DeclaredAccessibility == Accessibility.Public)
            ? null
            : $"'{name}' has no public constructor";
    }

    private static bool Collides(IMethodSymbol method)
    {
        var payload = JobSymbols.PayloadOf(method).Select(p => p.Type);
        return method.ContainingType.GetMembers(method.Name).OfType<IMethodSymbol>()
            .Where(other => !other.DeclaringSyntaxReferences.Any(r => r.SyntaxTree.FilePath.EndsWith(JobClass.HintEnd, StringComparison.Ordinal)))
            .Any(other => other.Parameters.Select(p => p.Type).SequenceEqual(payload, SymbolEqualityComparer.Default));
    }

    private static IEnumerable<Diagnostic> Options(IMethodSymbol method, AttributeData job)
    {
        if (JobSymbols.KindOf(method, job) is var kind && (kind.Trim().Length == 0 || kind.StartsWith("keelback.", StringComparison.Ordinal)))
            yield return Wrong("The kind", $"'{kind}'", "a name that does not begin with 'keelback.'");

        foreach (var option in job.NamedArguments)
        {
            var wrong = (option.Key, option.Value.Value) switch
            {
                ("MaxAttempts", int n) when n is < 1 or > 1000 => Wrong(option.Key, n.ToString(CultureInfo.InvariantCulture), "1 to 1,000"),
                ("Priority", int n) when n is < 0 or > 9 => Wrong(option.Key, n.ToString(CultureInfo.InvariantCulture), "0 (first) to 9 (last)"),
                ("Version", int n) when n is < 1 or > 30_000 => Wrong(option.Key, n.ToString(CultureInfo.InvariantCulture), "1 to 30,000"),
                ("Queue", string text) when text.Trim().Length == 0 => Wrong(option.Key, "empty", "the name of a queue"),
                ("Timeout" or "ExpiresAfter" or "ResultKept" or "RetryDelay" or "MaxRetryDelay", string text) when !IsDuration(text) => Wrong(option.Key, $"'{text}'", "a duration over zero, as hh:mm:ss"),
                ("Context", ITypeSymbol type) when !IsTransactional(job) => Wrong(option.Key, type.Name, "of a job with Transactional = true"),
                ("Context", ITypeSymbol type) when !IsContext(type) => Wrong(option.Key, type.Name, "a DbContext of the app"),
                _ => null,
            };

            if (wrong is not null) yield return wrong;
        }

        Diagnostic Wrong(string option, string value, string range) =>
            At(method, JobDiagnostics.OptionOutOfRange, option, JobSymbols.NameOf(method), value, range);
    }

    private static bool IsTransactional(AttributeData job) => job.NamedArguments.Any(option => option is { Key: "Transactional", Value.Value: true });

    private static bool IsContext(ITypeSymbol type) =>
        JobSymbols.SelfAndBases(type.BaseType).Any(t => t.ToDisplayString() == "Microsoft.EntityFrameworkCore.DbContext");

    private static IEnumerable<Diagnostic> Retries(IMethodSymbol method) =>
        from attribute in method.GetAttributes().Concat(method.ContainingType.GetAttributes())
        where attribute.AttributeClass?.BaseType?.ToDisplayString() == JobSymbols.RetryRule
        from option in attribute.NamedArguments
        let range = (option.Key, option.Value.Value) switch
        {
            ("MaxAttempts", int n) when n is < 0 or > 1000 => "1 to 1,000",
            ("Delay" or "MaxDelay", string text) when !IsDuration(text) => "a duration over zero, as hh:mm:ss",
            _ => null,
        }
        where range is not null
        select At(method, JobDiagnostics.OptionOutOfRange,
            $"{option.Key} after {attribute.AttributeClass!.TypeArguments.FirstOrDefault()?.Name}", JobSymbols.NameOf(method), $"'{option.Value.Value}'", range);

    private static IEnumerable<Diagnostic> Schedules(IMethodSymbol method) =>
        method.GetAttributes().Any(a => a.AttributeClass?.ToDisplayString() == JobSymbols.Schedule) && !method.Parameters.IsEmpty
            ? from parameter in JobSymbols.PayloadOf(method)
              where !parameter.HasExplicitDefaultValue
              select At(parameter, JobDiagnostics.ScheduledParameter, JobSymbols.NameOf(method), parameter.Name)
            : [];

    internal static bool IsDuration(string text) =>
        s_timeout.IsMatch(text) &&
        TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var duration) &&
        duration > TimeSpan.Zero;

    internal static Diagnostic At(ISymbol symbol, DiagnosticDescriptor rule, params object[] values) =>
        Diagnostic.Create(rule, symbol.Locations.FirstOrDefault(), values);
}
