namespace Keelback.Resources;

/// <summary>Every error this package raises. Codes KB1400-KB1499.</summary>
internal static class ResourceErrors
{
    public const string NoPolicyCode = "KB1401";

    public const string NoPolicyHint =
        "Say who may call them: .RequireAuthorization(\"policy\"), or .AllowAnonymous() when everyone may.";

    public static KeelbackException NoPolicy(string message) => new(NoPolicyCode, $"{message} {NoPolicyHint}");

    public static KeelbackException NotAdded(string resource) => new("KB1402",
        $"{resource} is mapped, but Keelback.Resources is not among the services. Call AddKeelback(), or AddResources() on a KeelbackBuilder.");

    public static KeelbackException NoRead(string resource) => new("KB1403",
        $"{resource} has no projection. Call r.Read(row => new Dto(…)) in Configure.");

    public static KeelbackException BadPage(string resource, int size, int max) => new("KB1404",
        $"{resource} has pages of {size} rows by default and {max} at most. Give a size of at least 1, and a max of at least the size.");

    public static KeelbackException FilterTwice(string resource, string name) => new("KB1405",
        $"{resource} has two meanings for the query key '{name}'. Give one of them another name.");

    public static KeelbackException UnfitFilter(string resource, string name, string type, FilterOps op) => new("KB1406",
        $"{resource}'s filter '{name}' is a {type}, which FilterOps.{op} does not fit. " +
        "Range is for numbers, dates and times, Text for strings, Null for members that can be null.");

    public static KeelbackException NoName(string resource, string expression) => new("KB1407",
        $"{resource} filters or orders by '{expression}', which has no name of its own. Give a member, or a name.");

    public static KeelbackException NoEntity(string resource, string type) => new("KB1408",
        $"{resource} is about {type}, which the DbContext does not know as an entity. Add it to the model.");

    public static KeelbackException NoKey(string resource, string type) => new("KB1409",
        $"{resource} is about {type}, whose primary key is not one int, long, Guid or string. Such rows have no address of the form /{{id}}.");

    public static KeelbackException StrangerInput(string resource, string input, string member, string type, string? nearest) => new("KB1410",
        $"{resource} writes {input}, whose member '{member}' is no mapped member of {type}." +
        (nearest is null ? "" : $" Did you mean '{nearest}'?") + " Name it as the entity does, or take it out.");

    public static KeelbackException UnfitInput(string resource, string input, string member, string from, string to) => new("KB1411",
        $"{resource} writes {input}, whose member '{member}' is a {from}; the entity's is a {to}. Give both the same type.");

    public static KeelbackException NoContext(string resource) => new("KB1412",
        $"{resource} finds no DbContext in the request's services. Call AddKeelback<TDb>(), or AddData<TDb>() on a KeelbackBuilder.");

    public static KeelbackException NoConstructor(string resource, string type) => new("KB1413",
        $"{resource} creates {type}, which has no constructor without parameters. Add one; it may be private.");

    public static KeelbackException UnreadableFilter(string resource, string name, string type) => new("KB1414",
        $"{resource}'s filter '{name}' is a {type}, which no query value can be read into. " +
        "Filter by a string, number, bool, enum, Guid, date or time, or take the filter out.");
}
