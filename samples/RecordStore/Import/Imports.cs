using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;

namespace RecordStore.Import;

/// <summary>The jobs of an import. Each is one transaction: a file is in the database with its result, or not at all.</summary>
public sealed partial class Imports(StoreDb db, TimeProvider clock)
{
    /// <summary>Brings one file into its table.</summary>
    [Job(Queue = "import", Transactional = true)]
    public async Task<FileResult> File(long importId, string entity, CancellationToken ct)
    {
        var folder = await db.Imports.Where(import => import.Id == importId).Select(import => import.Folder).SingleAsync(ct);
        return await new TableImport(db, ImportTable.Of(db, entity)).RunAsync(importId, folder, ct);
    }

    /// <summary>Comes last: adds up.</summary>
    [Job(Queue = "import", Transactional = true)]
    public async Task<ImportResult> Finish(long importId, IReadOnlyList<FileResult> files, CancellationToken ct)
    {
        var import = await db.Imports.SingleAsync(i => i.Id == importId, ct);
        import.FinishedAt = clock.GetUtcNow();
        await db.SaveChangesAsync(ct);

        return new(files);
    }
}
