using System.Globalization;
using Microsoft.EntityFrameworkCore.Migrations.Internal;

namespace Keelback.Data.Design;

#pragma warning disable EF1001 // The generator is internal, its place in the services is not; the versions are pinned together.

/// <summary>Ids that sort after the newest migration, also when that was written by a clock ahead of ours.</summary>
internal sealed class OrderedMigrationIds(string? newest) : MigrationsIdGenerator
{
    private const string Format = "yyyyMMddHHmmss";

    public override string GenerateId(string name)
    {
        var id = base.GenerateId(name);
        if (newest is null || string.CompareOrdinal(id, 0, newest, 0, Format.Length) > 0) return id;

        var after = DateTime.ParseExact(newest.AsSpan(0, Format.Length), Format, CultureInfo.InvariantCulture).AddSeconds(1);
        return $"{after.ToString(Format, CultureInfo.InvariantCulture)}_{name}";
    }
}
