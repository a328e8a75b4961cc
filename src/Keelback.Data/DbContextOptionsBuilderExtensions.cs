using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Keelback;

/// <summary>Keelback on a context that is registered by hand.</summary>
public static class DbContextOptionsBuilderExtensions
{
    /// <summary>Adds snake_case names, <see cref="ITimestamped"/>, <see cref="IVersioned"/> and work that joins a commit; pooled contexts too.</summary>
    /// <exception cref="KeelbackException">KB1103, when a context is made: it has no <c>UseNpgsql(…)</c>.</exception>
    public static DbContextOptionsBuilder UseKeelback(this DbContextOptionsBuilder options)
    {
        ArgumentNullException.ThrowIfNull(options);

        if (options.Options.FindExtension<KeelbackOptionsExtension>() is null)
            ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new KeelbackOptionsExtension());

        return options;
    }

    /// <inheritdoc cref="UseKeelback(DbContextOptionsBuilder)"/>
    public static DbContextOptionsBuilder<TDb> UseKeelback<TDb>(this DbContextOptionsBuilder<TDb> options) where TDb : DbContext =>
        (DbContextOptionsBuilder<TDb>)UseKeelback((DbContextOptionsBuilder)options);
}
