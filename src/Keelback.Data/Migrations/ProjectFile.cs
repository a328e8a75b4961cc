using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Keelback.Data;

/// <summary>The project that a migration is written into.</summary>
/// <param name="Path">Of the .csproj.</param>
internal sealed partial record ProjectFile(string Path)
{
    /// <summary>File name with its extension.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public string Assembly => Property("AssemblyName") ?? System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Namespace => Property("RootNamespace") ?? NotIdentifier().Replace(System.IO.Path.GetFileNameWithoutExtension(Path), "_");

    /// <summary>The named project or folder; else the nearest project at or above <paramref name="start"/>.</summary>
    /// <param name="given">A .csproj, or a folder with one; null: search.</param>
    /// <param name="start">The working directory.</param>
    /// <param name="assembly">Chooses where a folder has several.</param>
    /// <exception cref="KeelbackException">KB1114: none, or several.</exception>
    public static ProjectFile Find(string? given, string start, string assembly)
    {
        if (given is not null)
        {
            var path = System.IO.Path.GetFullPath(given, start);
            return File.Exists(path) ? new(path) : In(path, assembly) ?? throw DataErrors.NoProject(given);
        }

        for (var folder = start; folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
            if (In(folder, assembly) is { } project)
                return project;

        throw DataErrors.NoProject(start);
    }

    /// <summary>The line that references a package of ours, the way this project references the others.</summary>
    public string ReferenceTo(string package)
    {
        var others = Load().Descendants("ProjectReference").Select(r => (string?)r.Attribute("Include") ?? "");
        var ours = others.Select(include => OurProject().Match(include)).FirstOrDefault(match => match.Success);

        return ours is null
            ? $"""<PackageReference Include="{package}" Version="{typeof(ProjectFile).Assembly.GetName().Version!.ToString(3)}" Condition="'$(Configuration)' == 'Debug'" />"""
            : $"""<ProjectReference Include="{ours.Groups[1].Value}{package}/{package}.csproj" Condition="'$(Configuration)' == 'Debug'" />""";
    }

    private static ProjectFile? In(string folder, string assembly)
    {
        if (!Directory.Exists(folder)) return null;

        var projects = Directory.GetFiles(folder, "*.csproj").Select(path => new ProjectFile(path)).ToList();
        return projects.Count > 1
            ? projects.SingleOrDefault(p => p.Assembly == assembly) ?? throw DataErrors.NoProject(folder)
            : projects.SingleOrDefault();
    }

    private string? Property(string name) => Load().Descendants(name).Select(e => e.Value.Trim())
        .FirstOrDefault(value => value.Length > 0 && !value.Contains("$(", StringComparison.Ordinal));

    private XDocument Load() => XDocument.Load(Path);

    [GeneratedRegex(@"[^\w.]")]
    private static partial Regex NotIdentifier();

    [GeneratedRegex(@"^(.*[/\\])Keelback(?:\.\w+)*[/\\]Keelback(?:\.\w+)*\.csproj$")]
    private static partial Regex OurProject();
}
