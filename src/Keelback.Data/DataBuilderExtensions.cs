using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Keelback;

#pragma warning disable EF1001 // A lease may be disposed of twice, as an alias in the services does; a pooled factory's context may not.

/// <summary>EF Core on a <see cref="KeelbackBuilder"/>.</summary>
public static class DataBuilderExtensions
{
    /// <summary>Adds the app's context on the app's data source, with Keelback's conventions and transactions.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="configure">Further options, such as <c>o => o.UseNpgsql(n => n.EnableRetryOnFailure())</c>; applied last.</param>
    /// <remarks>
    /// Services may ask for <typeparamref name="TDb"/> or, where there is one context, for <see cref="DbContext"/>, which is the first that was added;
    /// with several a transactional job names its own. Contexts are pooled
    /// when their class adds no state of its own: one constructor that takes the options, no fields but sets, no <c>OnConfiguring</c>.
    /// The options are made once. Safe to call twice.
    /// </remarks>
    public static KeelbackBuilder AddData<TDb>(this KeelbackBuilder builder, Action<DbContextOptionsBuilder>? configure = null)
        where TDb : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.AddPostgres().Services;

        if (ContextPooling.Fits(typeof(TDb)))
        {
            services.AddDbContextPool<TDb>(Configure);
            services.AddScoped(sp => OuterTransaction.Pin<TDb>(sp) ?? sp.GetRequiredService<IScopedDbContextLease<TDb>>().Context);
        }
        else
        {
            var create = ActivatorUtilities.CreateFactory<TDb>([]);
            services.AddDbContext<TDb>(Configure, optionsLifetime: ServiceLifetime.Singleton);
            services.AddScoped(sp => OuterTransaction.Pin<TDb>(sp) ?? create(sp, []));
        }

        if (!services.Any(s => s.ImplementationInstance is DataContext present && present.Type == typeof(TDb)))
            services.AddSingleton(new DataContext(typeof(TDb)));
        services.TryAddScoped<DbContext>(sp => sp.GetRequiredService<TDb>());
        builder.AddCheck<MigrationCheck>();

        return builder;

        void Configure(IServiceProvider root, DbContextOptionsBuilder options)
        {
            options.UseNpgsql(root.GetRequiredService<NpgsqlDataSource>()).UseKeelback();
            configure?.Invoke(options);
        }
    }
}
