using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Data;

/// <summary>Writes the next migration as source code. Lives in Keelback.Data.Design, the only package that carries a compiler.</summary>
internal interface IMigrationWriter
{
    /// <summary>Compares the model with the last migration and writes the difference; no difference writes nothing.</summary>
    /// <param name="db">The context; its database is not asked.</param>
    /// <param name="project">Where the files go, and which namespace they get.</param>
    /// <param name="name">A C# identifier; null: made from the changes.</param>
    /// <exception cref="KeelbackException">KB1115: not a usable name. KB1116: an earlier migration is not compiled yet.</exception>
    WrittenMigration? Write(DbContext db, ProjectFile project, string? name);
}

/// <summary>What was written.</summary>
/// <param name="Id">Such as <c>20261121093000_AddComposer</c>.</param>
/// <param name="Files">Paths, the migration's own first.</param>
/// <param name="Changes">One line for each, such as <c>add column tracks.composer</c>.</param>
/// <param name="Warnings">Changes that can lose data, or that may be a wrong guess.</param>
internal sealed record WrittenMigration(
    string Id, IReadOnlyList<string> Files, IReadOnlyList<string> Changes, IReadOnlyList<string> Warnings);

/// <summary>The design-time package, where the app has it.</summary>
internal static class DesignTime
{
    private const string Package = "Keelback.Data.Design";

    /// <exception cref="KeelbackException">KB1113: the app does not reference the package; the message has the line to add.</exception>
    public static IMigrationWriter Writer(ProjectFile project)
    {
        try
        {
            return (IMigrationWriter)Activator.CreateInstance(
                Assembly.Load(Package).GetType("Keelback.Data.Design.MigrationWriter", throwOnError: true)!)!;
        }
        catch (FileNotFoundException)
        {
            throw DataErrors.NoDesign(project.Name, project.ReferenceTo(Package));
        }
    }
}
