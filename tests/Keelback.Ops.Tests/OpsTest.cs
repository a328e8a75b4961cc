using Keelback.Testing;

namespace Keelback.Ops.Tests;

/// <summary>A database for each class.</summary>
public abstract class OpsTest : IAsyncLifetime
{
    internal TestDatabase Database { get; private set; } = null!;

    public virtual async Task InitializeAsync() => Database = await TestDatabase.CreateAsync(OpsApp.Template);

    public virtual async Task DisposeAsync() => await Database.DisposeAsync();
}
