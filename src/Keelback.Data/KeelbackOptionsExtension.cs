using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace Keelback.Data;

#pragma warning disable EF1001 // See NestingConnection and ForgettingChangeTracker.

/// <summary>What <c>UseKeelback()</c> adds to a context: conventions and a unit of work.</summary>
internal sealed class KeelbackOptionsExtension : IDbContextOptionsExtension
{
    private DbContextOptionsExtensionInfo? _info;

    public DbContextOptionsExtensionInfo Info => _info ??= new ExtensionInfo(this);

    /// <remarks>The last registration of a service wins, whether the provider's come before or after ours: theirs are "try add".</remarks>
    public void ApplyServices(IServiceCollection services)
    {
        services.AddSingleton<IConventionSetPlugin, KeelbackConventions>();

        services.AddScoped<UnitOfWork>();
        services.AddScoped<IResettableService>(sp => sp.GetRequiredService<UnitOfWork>());
        services.AddScoped<OuterTransactionSource>();
        services.AddScoped<PendingTransaction>();
        services.AddScoped<CommitOutcome>();
        services.AddScoped<RowTimestamps>();
        services.AddScoped<IInterceptor, PendingWorkInterceptor>();
        services.AddScoped<IDatabase, PendingDatabase>();
        services.AddScoped<IChangeTrackerFactory, ForgettingChangeTrackerFactory>();
        services.AddSingleton<IRelationalTransactionFactory, TrackedTransactionFactory>();
        services.AddScoped<INpgsqlRelationalConnection, NestingConnection>();
    }

    public void Validate(IDbContextOptions options)
    {
        if (options.FindExtension<NpgsqlOptionsExtension>() is null) throw DataErrors.NotPostgres();
    }

    private sealed class ExtensionInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "using Keelback ";

        public override int GetServiceProviderHashCode() => 0;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["Keelback"] = "1";
    }
}
