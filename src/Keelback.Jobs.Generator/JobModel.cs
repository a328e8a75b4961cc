namespace Keelback.Jobs.Generator;

/// <summary>A class with jobs. Texts only: no symbol may outlive its compilation.</summary>
internal sealed record JobClass(
    string? Namespace,
    string Name, // with the classes around it: Outer.Receipts
    EquatableArray<string> Declarations, // outermost first: partial class Outer, partial class Receipts
    EquatableArray<JobModel> Jobs)
{
    /// <summary>By which an analyzer knows what the generator wrote.</summary>
    public const string HintEnd = ".Jobs.g.cs";

    public string FullName => "global::" + (Namespace is null ? "" : Namespace + ".") + Name;

    public string HintName => FullName.Substring("global::".Length).Replace("@", "") + HintEnd;
}

/// <summary>The class that a job is declared in, apart from its jobs.</summary>
internal sealed record JobOwner(string? Namespace, string Name, EquatableArray<string> Declarations);

/// <summary>One method with [Job].</summary>
internal sealed record JobModel(
    JobOwner Owner,
    string Method,
    string Kind,
    string Access, // the statics are seen by those who see the method
    bool IsStatic,
    string Attribute, // what rebuilds it: () { Queue = "mail" }
    EquatableArray<string> Metadata, // what rebuilds the others: global::Keelback.Jobs.LimitAttribute("mail") { Slots = 3 }
    string? Result, // T of Task<T>
    bool HoldsSecrets, // a member of what it takes or returns is [Secret]
    string? DocumentationId, // when the method is documented
    EquatableArray<JobParameter> Parameters)
{
    /// <summary>Whether ticks call it, which have no arguments to give.</summary>
    public bool IsScheduled =>
        Metadata.Any(attribute => attribute.StartsWith($"global::{JobSymbols.Schedule}(", StringComparison.Ordinal)) && Parameters.All(p => p.Default is not null);
}

/// <summary>A parameter that is part of the payload.</summary>
internal sealed record JobParameter(
    string Name, // as C# writes it: @class
    string Json, // the payload's member: class
    string Type,
    string Bare, // the type without ? on references
    bool IsNullableReference,
    bool IsInterface,
    string? Default, // an expression; null: required
    string? Item, // the item's type, when the type is a list that any list can fill
    bool IsSecret) // stored encrypted
{
    /// <summary>C# converts neither an interface nor a collection expression to an Arg, so these also get overloads that take the type itself.</summary>
    public bool NeedsPlainOverload => IsInterface || Item is not null;

    public string Arg => Item is null ? $"global::Keelback.Jobs.Arg<{Type}>" : $"global::Keelback.Jobs.ListArg<{Item}>";

    public string BareArg => $"global::Keelback.Jobs.Arg<{Bare}>";
}
