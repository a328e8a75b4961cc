namespace Keelback.Testing;

/// <summary>Every error this package raises. Codes KB1600-KB1699.</summary>
internal static class TestingErrors
{
    public static KeelbackException BadTemplateName(string name) => new("KB1601",
        $"A template cannot be called '{name}'; use 1 to 20 lower-case letters, digits and underscores.");

    public static KeelbackException NotStarted() => new("KB1610",
        "The app is not there yet. Use it in the test or in InitializeAsync after base.InitializeAsync(), not in the constructor.");

    public static KeelbackException NoEntity(Type type) => new("KB1611",
        $"Make<{type.Name}>() found no context whose model has this type. Add it to the context, or make one of its owners.");

    public static KeelbackException Circle(IEnumerable<Type> path) => new("KB1612",
        $"Make cannot begin: {string.Join(" needs ", path.Select(t => t.Name))}. Set one of these references yourself.");

    public static KeelbackException NoValue(Type entity, string property, Type type) => new("KB1613",
        $"Make<{entity.Name}>() knows no value for {property} of type {type.Name}. Set it: Make<{entity.Name}>(x => x.{property} = …).");
}
