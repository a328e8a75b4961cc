using Keelback.Testing;

namespace Keelback.Postgres.Tests;

internal static class SystemTemplate
{
    /// <summary>The system schema of this package alone.</summary>
    public static readonly TestTemplate Postgres = TestTemplate.OfPackages("postgres", _ => { });
}
