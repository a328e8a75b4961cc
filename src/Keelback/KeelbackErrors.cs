
namespace Keelback;

/// <summary>Every error this package raises. Codes KB1500-KB1599.</summary>
internal static class KeelbackErrors
{
    public const string SettingUnreadable = "KB1502";
    public const string SettingRefused = "KB1503";
    public const string SettingUnknown = "KB1504";
    public const string DotEnvUnreadable = "KB1505";
    public const string DotEnvTooLate = "KB1506";
    public const string MiddlewareMissing = "KB1511";
    public const string DatabaseAway = "KB1512";
    public const string SchemaPending = "KB1513";

    public static KeelbackException TwoCommands(string name, Type first, Type second) => new("KB1507",
        $"Two commands are called '{name}': {first.FullName} and {second.FullName}. Rename one in its [Command].");

    public static KeelbackException NoCommandAttribute(Type type) => new("KB1508",
        $"{type.FullName} is added as a command but has no [Command(\"name\", \"what it does\")].");

    public static KeelbackException PropertyNotSettable(Type type, string property) => new("KB1517",
        $"{type.FullName}.{property} is an option or argument that cannot be set. Give it a public set or init.");

    public static KeelbackException AddressTaken(string message, Exception inner) => new("KB1509",
        $"{message.TrimEnd('.')}. Another program listens there: stop it, or choose another address with --urls http://localhost:PORT.", inner);

    public static KeelbackException ServerCameLater(Type server) => new("KB1510",
        $"{server.Name} was registered after AddKeelback, so '{WorkerCommand.CommandName}' cannot keep it from listening. " +
        "Call builder.WebHost.UseKestrel(…) before builder.AddKeelback(…); ConfigureKestrel is fine anywhere.");

    public static KeelbackException NoContext() => new("KB1516",
        "Migrations belong to a DbContext, and the app has none. Call builder.AddKeelback<YourDb>() with it.");

    public static KeelbackException WhichContext(IEnumerable<string> contexts) => new("KB1518",
        $"Say with --context which one is meant: {string.Join(", ", contexts)}.");

    public static KeelbackException BadCronLine(string mistake) => new("KB1519", $"The line cannot be read: {mistake}");
}
