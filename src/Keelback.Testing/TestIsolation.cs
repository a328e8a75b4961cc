namespace Keelback.Testing;

/// <summary>How one test is kept from seeing another's rows.</summary>
public enum TestIsolation
{
    /// <summary>
    /// Everything happens in one transaction that is rolled back when the test ends. Fast; requests run one at a time, and what the app
    /// does on connections that it opens by itself (not by its context or its jobs) is outside of it.
    /// </summary>
    RolledBack,

    /// <summary>Real commits, in a copy of the migrated database that the test class has for itself; its tests see each other's rows.</summary>
    Clone,
}
