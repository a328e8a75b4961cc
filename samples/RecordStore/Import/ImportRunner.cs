using System.Globalization;
using Keelback;
using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;

namespace RecordStore.Import;

/// <summary>Enqueues an import, or finds the one of the same folder that was cut off, and tells how it goes until it ends.</summary>
public sealed class ImportRunner(StoreDb db, JobClient jobs, TimeProvider clock)
{
    private const int ShownRejects = 20;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns whether the import came to its end; rows that were rejected do not count against it.</summary>
    public async Task<bool> RunAsync(string folder, TextWriter output, CancellationToken ct)
    {
        folder = Path.GetFullPath(folder);
        if (!Readable(folder, output)) return false;

        var import = await CutOffAsync(folder, ct);
        if (import is null) import = await StartAsync(folder, ct);
        else await output.WriteLineAsync($"Going on with import {import.Id}, begun {import.StartedAt:u}");

        return await FollowAsync(import, output, ct);
    }

    /// <summary>Says all that is wrong with the files themselves before anything is enqueued.</summary>
    private bool Readable(string folder, TextWriter output)
    {
        if (!Directory.Exists(folder))
        {
            output.WriteLine($"There is no folder {folder}.");
            return false;
        }

        var readable = true;
        foreach (var table in ImportGraph.Entities.Select(entity => ImportTable.Of(db, entity)))
        {
            try
            {
                CsvFile.Open(Path.Combine(folder, table.File), table.Headers).Dispose();
            }
            catch (Exception e) when (e is ImportException or IOException or UnauthorizedAccessException)
            {
                output.WriteLine(e.Message);
                readable = false;
            }
        }

        return readable;
    }

    private async Task<ImportRun?> CutOffAsync(string folder, CancellationToken ct)
    {
        var import = await db.Imports
            .Where(i => i.Folder == folder && i.FinishedAt == null)
            .OrderByDescending(i => i.Id)
            .FirstOrDefaultAsync(ct);

        return import?.JobId is { } id && await jobs.GetAsync(id, ct) is { HasEnded: false } ? import : null;
    }

    /// <summary>The import and its jobs exist together, or not at all.</summary>
    private Task<ImportRun> StartAsync(string folder, CancellationToken ct) => db.InTransactionAsync(
        async token =>
        {
            var import = new ImportRun { Folder = folder, StartedAt = clock.GetUtcNow() };
            db.Add(import);
            await db.SaveChangesAsync(token);

            import.JobId = await jobs.EnqueueAsync(db, ImportGraph.Of(import.Id), ct: token);
            await db.SaveChangesAsync(token);
            return import;
        },
        ct: ct);

    private async Task<bool> FollowAsync(ImportRun import, TextWriter output, CancellationToken ct)
    {
        var told = new List<long>(); // not the highest id: files that are brought in side by side commit in any order
        while (true)
        {
            // Before the files: what is done when we look cannot be missed.
            var run = (await jobs.GetAsync(import.JobId!.Value, ct))!;

            var files = db.ImportFiles.AsNoTracking().Where(file => file.ImportRunId == import.Id && !told.Contains(file.Id)).OrderBy(file => file.Id);
            await foreach (var file in files.AsAsyncEnumerable().WithCancellation(ct))
            {
                await output.WriteLineAsync(Line(file));
                told.Add(file.Id);
            }

            if (run.HasEnded) return await SumUpAsync(run, import, output, ct);
            await Task.Delay(s_look, clock, ct);
        }
    }

    private async Task<bool> SumUpAsync(JobRun run, ImportRun import, TextWriter output, CancellationToken ct)
    {
        if (run.State != JobRunState.Succeeded)
        {
            await output.WriteLineAsync($"The import did not come to its end: {run.Error?.Message}");
            return false;
        }

        var result = run.Result<ImportResult>()!;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{result.Read:N0} rows read: {result.Inserted:N0} new, {result.Updated:N0} changed, {result.Unchanged:N0} as they were, {result.Rejected:N0} rejected"));
        if (result.Rejected > 0) await ListRejectsAsync(import, result.Rejected, output, ct);
        return true;
    }

    private async Task ListRejectsAsync(ImportRun import, long count, TextWriter output, CancellationToken ct)
    {
        var rejects =
            from file in db.ImportFiles
            where file.ImportRunId == import.Id
            from reject in file.Rejects
            orderby file.File, reject.Line
            select new { file.File, reject.Line, reject.Reason };

        foreach (var reject in await rejects.Take(ShownRejects).ToListAsync(ct))
            await output.WriteLineAsync($"  {reject.File}:{reject.Line}: {reject.Reason}");
        if (count > ShownRejects)
            await output.WriteLineAsync($"  … and {count - ShownRejects:N0} more in the table import_reject");
    }

    private static string Line(ImportFile file) => string.Create(CultureInfo.InvariantCulture,
        $"{file.File,-20}{file.Inserted,8:N0} new {file.Updated,8:N0} changed {file.Unchanged,8:N0} as they were {file.Rejected,8:N0} rejected");
}
