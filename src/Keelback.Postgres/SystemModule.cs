using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Keelback.Postgres;

/// <summary>One package's share of the <c>keelback</c> schema: its numbered scripts, embedded as <c>Schema/0001_name.sql</c>.</summary>
/// <remarks>Numbers start at 1 without gaps. A shipped script is never edited; nodes of the last release must run on the new schema.</remarks>
internal sealed record SystemModule(string Name, IReadOnlyList<SystemMigration> Migrations)
{
    public static SystemModule Embedded(string name, Assembly assembly)
    {
        const string Folder = ".Schema.";
        var migrations =
            from resource in assembly.GetManifestResourceNames()
            where resource.Contains(Folder, StringComparison.Ordinal) && resource.EndsWith(".sql", StringComparison.Ordinal)
            let file = resource[(resource.IndexOf(Folder, StringComparison.Ordinal) + Folder.Length)..^".sql".Length]
            let number = int.Parse(file.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture)
            orderby number
            select new SystemMigration(number, file[5..], Read(assembly, resource));

        return new(name, [.. migrations]);
    }

    private static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}

/// <summary>One numbered script, run in one transaction.</summary>
internal sealed record SystemMigration(int Number, string Name, string Sql)
{
    /// <summary>Tells a script that was edited after it was applied; line ends do not count.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))).AsSpan(0, 8));
}
