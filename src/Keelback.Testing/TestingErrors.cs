namespace Keelback.Testing;

/// <summary>Every error this package raises. Codes KB1600-KB1699.</summary>
internal static class TestingErrors
{
    public static KeelbackException BadTemplateName(string name) => new("KB1601",
        $"A template cannot be called '{name}'; use 1 to 20 lower-case letters, digits and underscores.");
}
