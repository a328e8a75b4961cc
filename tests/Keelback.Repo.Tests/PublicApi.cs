using System.Reflection;
using System.Text;

namespace Keelback.Repo.Tests;

/// <summary>Prints what an assembly promises: a line a type, a line a member, in ordinal order.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Listing(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type.Namespace).Append('.').Append(Name(type)).Append(Bases(type)).Append('\n');
            foreach (var member in Members(type).Order(StringComparer.Ordinal))
                text.Append("    ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum) return Enum.GetNames(type);
        if (typeof(Delegate).IsAssignableFrom(type)) return [Signature(type.GetMethod("Invoke")!)];

        return type.GetMembers(Declared).Select(Line).OfType<string>();
    }

    private static string? Line(MemberInfo member) => member switch
    {
        _ when member.Name.Contains('<') || member.Name is "PrintMembers" or "EqualityContract" or "$" => null,
        FieldInfo field when Seen(field.Attributes & FieldAttributes.FieldAccessMask) => $"{Static(field.IsStatic)}{Name(field.FieldType)} {field.Name}",
        ConstructorInfo made when Seen(made) => $".ctor({Parameters(made)})",
        PropertyInfo property when Accessors(property) is { Length: > 0 } accessors =>
            $"{Static(property.GetAccessors(true)[0].IsStatic)}{Name(property.PropertyType)} {property.Name} {{ {accessors}}}",
        EventInfo happening when Seen(happening.AddMethod!) => $"event {Name(happening.EventHandlerType!)} {happening.Name}",
        MethodInfo method when Seen(method) && (!method.IsSpecialName || method.Name.StartsWith("op_")) => Signature(method),
        _ => null,
    };

    private static string Accessors(PropertyInfo property) =>
        (property.GetMethod is { } get && Seen(get) ? "get; " : "") +
        (property.SetMethod is { } set && Seen(set) ? IsInit(set) ? "init; " : "set; " : "");

    private static bool IsInit(MethodInfo set) =>
        set.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");

    private static bool Seen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool Seen(FieldAttributes access) => access is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;

    private static string Signature(MethodInfo method) =>
        $"{Static(method.IsStatic)}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})";

    private static string Static(bool isStatic) => isStatic ? "static " : "";

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(MethodBase method) => string.Join(", ",
        method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.DefaultValue ?? "default"}" : "")}"));

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsInterface ? "interface" :
        typeof(Delegate).IsAssignableFrom(type) ? "delegate" :
        type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    private static string Bases(Type type)
    {
        if (type.IsEnum || type.IsValueType || typeof(Delegate).IsAssignableFrom(type)) return "";

        var bases = new[] { type.BaseType }.Where(b => b is not null && b != typeof(object)).Concat(type.GetInterfaces())
            .Select(b => Name(b!)).Where(name => !name.StartsWith("IEquatable")).Order(StringComparer.Ordinal).ToList();
        return bases.Count == 0 ? "" : $" : {string.Join(", ", bases)}";
    }

    private static string Name(Type type)
    {
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Name(underlying) + "?";

        var name = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        return type.IsGenericType && name.Contains('`')
            ? $"{name[..name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : name;
    }
}
