using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Design.Internal;

namespace Keelback.Data.Design;

#pragma warning disable EF1001 // Each provider's design-time services are internal by EF's own convention; the versions are pinned together.

/// <summary>Writes the next migration inside the running app: no build, no second process, no database.</summary>
internal sealed class MigrationWriter : IMigrationWriter
{
    public WrittenMigration? Write(DbContext db, ProjectFile project, string? name)
    {
        var migrations = db.GetService<IMigrationsAssembly>();
        RequireHome(db, project, migrations);

        var changes = Changes(db, migrations);
        if (changes.Count == 0) return null;

        RequireCompiled(db, project, migrations);
        name = name is null
            ? MigrationName.Of(changes, isFirst: migrations.ModelSnapshot is null, taken: migrations.Migrations.Keys)
            : MigrationName.Checked(name, taken: migrations.Migrations.Keys);

        using var services = Services(db, newest: migrations.Migrations.Keys.Max(StringComparer.Ordinal));
        var scaffolder = services.GetRequiredService<IMigrationsScaffolder>();
        var migration = scaffolder.ScaffoldMigration(name, project.Namespace, subNamespace: null, language: "C#");
        var files = scaffolder.Save(project.Folder, migration, outputDir: null, dryRun: false);

        return new(
            migration.MigrationId,
            [.. new[] { files.MigrationFile, files.MetadataFile, files.SnapshotFile }.OfType<string>()],
            [.. changes.Select(ChangeText.Of)],
            [.. changes.Select(ChangeText.WarningFor).OfType<string>()]);
    }

    private static IReadOnlyList<MigrationOperation> Changes(DbContext db, IMigrationsAssembly migrations)
    {
        IModel? last = null;
        if (migrations.ModelSnapshot is { } snapshot)
        {
            // A copy: finishing a snapshot's model changes it, and the scaffolder finishes the other one.
            last = ((ModelSnapshot)Activator.CreateInstance(snapshot.GetType())!).Model;
            if (last is IMutableModel mutable) last = mutable.FinalizeModel();
            last = db.GetService<IModelRuntimeInitializer>().Initialize(last, designTime: true, validationLogger: null);
        }

        return db.GetService<IMigrationsModelDiffer>()
            .GetDifferences(last?.GetRelationalModel(), db.GetService<IDesignTimeModel>().Model.GetRelationalModel());
    }

    private static ServiceProvider Services(DbContext db, string? newest)
    {
        var services = new ServiceCollection()
            .AddEntityFrameworkDesignTimeServices(new OperationReporter(new OperationReportHandler()))
            .AddDbContextDesignTimeServices(db);
        new NpgsqlDesignTimeServices().ConfigureDesignTimeServices(services);
        services.AddSingleton<IMigrationsIdGenerator>(new OrderedMigrationIds(newest));

        return services.BuildServiceProvider();
    }

    private static void RequireHome(DbContext db, ProjectFile project, IMigrationsAssembly migrations)
    {
        var assembly = migrations.Assembly.GetName().Name!;
        if (project.Assembly != assembly) throw DataErrors.OtherProject(project.Name, assembly, db.GetType());
    }

    private static void RequireCompiled(DbContext db, ProjectFile project, IMigrationsAssembly migrations)
    {
        var folder = Path.Combine(project.Folder, "Migrations");
        if (!Directory.Exists(folder)) return;

        foreach (var file in Directory.EnumerateFiles(folder, "*_*.Designer.cs"))
        {
            var id = Path.GetFileName(file)[..^".Designer.cs".Length];
            if (!migrations.Migrations.ContainsKey(id) && OfContext(file, db)) throw DataErrors.NotCompiled(id);
        }
    }

    // A folder may hold the migrations of two contexts; the attribute names whose this one is.
    private static bool OfContext(string file, DbContext db) =>
        File.ReadAllText(file).Contains($"[DbContext(typeof({db.GetType().Name}))]", StringComparison.Ordinal);
}
