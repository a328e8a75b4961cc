using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>What must hold for the keys of a job: [Limit], [Unique] and the tenant, whose places name parameters or their members.</summary>
internal static class KeyRules
{
    private const int MaxLength = 200;
    private const string Space = "Keelback.Jobs.";

    public static IEnumerable<Diagnostic> Check(IMethodSymbol method, AttributeData job)
    {
        var name = JobSymbols.NameOf(method);
        var keyed = method.GetAttributes().Concat(method.ContainingType.GetAttributes())
            .Where(a => a.AttributeClass?.ToDisplayString() is Space + "LimitAttribute" or Space + "UniqueAttribute").ToList();

        var keys = keyed.Select(a => a.ConstructorArguments.FirstOrDefault().Value as string ?? "")
            .Concat(job.NamedArguments.Where(o => o.Key == "Tenant").Select(o => o.Value.Value as string ?? ""));
        foreach (var key in keys)
            if (Mistake(key, method) is { } mistake) yield return JobRules.At(method, JobDiagnostics.BadKey, key, name, mistake);
            else if (Places(key)!.SelectMany(place => PathOf(place, method)).FirstOrDefault(SecretSymbols.IsSecret) is { } secret)
                yield return JobRules.At(method, JobDiagnostics.SecretInKey, key, name, secret.Name);

        foreach (var option in keyed.SelectMany(a => a.NamedArguments))
        {
            var range = (option.Key, option.Value.Value) switch
            {
                ("Slots" or "PerSecond" or "PerMinute" or "PerHour" or "PerDay", int n) when n < 1 => "1 or more",
                ("Window", string text) when !JobRules.IsDuration(text) => "a duration over zero, as hh:mm:ss",
                _ => null,
            };
            if (range is not null)
                yield return JobRules.At(method, JobDiagnostics.OptionOutOfRange, option.Key, name, Convert.ToString(option.Value.Value, CultureInfo.InvariantCulture), range);
        }
    }

    private static string? Mistake(string key, IMethodSymbol method)
    {
        if (key.Trim().Length == 0) return "it is empty";
        if (key.Length > MaxLength) return $"it has {key.Length} characters, and {MaxLength} are the most";
        if (key[0] == '#') return "a key that begins with '#' is the engine's";

        return Places(key) is { } places
            ? places.Select(place => Missing(place, method)).FirstOrDefault(missing => missing is not null)
            : "a '{' or '}' has no partner";
    }

    // Null: a bracket has no partner.
    private static List<string>? Places(string key)
    {
        var places = new List<string>();
        for (var i = key.IndexOfAny(['{', '}']); i >= 0; i = key.IndexOfAny(['{', '}'], i))
        {
            var end = key.IndexOf('}', i);
            if (key[i] == '}' || end < 0) return null;

            places.Add(key.Substring(i + 1, end - i - 1));
            i = end + 1;
        }

        return places;
    }

    private static IParameterSymbol? ParameterOf(string place, IMethodSymbol method) =>
        JobSymbols.PayloadOf(method).FirstOrDefault(p => p.Name == place.Split('.')[0]);

    // The parameter, then the properties; as far as they are there.
    private static IEnumerable<ISymbol> PathOf(string place, IMethodSymbol method)
    {
        if (ParameterOf(place, method) is not { } parameter) yield break;

        yield return parameter;
        var type = parameter.Type;
        foreach (var name in place.Split('.').Skip(1))
        {
            if (MembersOf(type).FirstOrDefault(p => p.Name == name) is not { } property) yield break;

            yield return property;
            type = property.Type;
        }
    }

    private static string? Missing(string place, IMethodSymbol method)
    {
        var path = place.Split('.');
        var found = PathOf(place, method).ToList();
        if (found.Count == path.Length) return null;
        if (found.Count == 0)
        {
            var names = string.Join(", ", JobSymbols.PayloadOf(method).Select(p => p.Name));
            return $"the method has no parameter '{path[0]}'" + (names.Length == 0 ? "; it takes none" : $"; it has {names}");
        }

        var type = found.Last() is IPropertySymbol property ? property.Type : ((IParameterSymbol)found.Last()).Type;
        return $"'{type.ToDisplayString()}' has no property '{path[found.Count]}'";
    }

    private static IEnumerable<IPropertySymbol> MembersOf(ITypeSymbol type)
    {
        for (var t = type; t is not null; t = t.BaseType)
            foreach (var property in t.GetMembers().OfType<IPropertySymbol>())
                yield return property;
    }
}
