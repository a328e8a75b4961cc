using Keelback;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace RecordStore.Tests;

/// <summary>Databases that hold the system schema and the store's tables, and no rows.</summary>
internal static class StoreDatabase
{
    public static readonly TestTemplate Template = TestTemplate
        .OfPackages("store_jobs", keelback => keelback.AddData<StoreDb>().AddJobs())
        .With("store", async (postgres, ct) =>
        {
            await using var db = Context(postgres);
            await db.Database.MigrateAsync(ct);
        });

    public static StoreDb Context(NpgsqlDataSource postgres) =>
        new(new DbContextOptionsBuilder<StoreDb>().UseNpgsql(postgres).UseKeelback().Options);
}
