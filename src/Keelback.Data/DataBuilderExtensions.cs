using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Keelback;

/// <summary>EF Core on a <see cref="KeelbackBuilder"/>.</summary>
public static class DataBuilderExtensions
{
    /// <summary>Adds the app's context on the app's data source, with Keelback's conventions and transactions.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="configure">Further options, such as <c>o => o.UseNpgsql(n => n.EnableRetryOnFailure())</c>; applied last.</param>
    /// <remarks>Services may ask for <typeparamref name="TDb"/> or, where there is one context, for <see cref="DbContext"/>. Safe to call twice.</remarks>
    public static KeelbackBuilder AddData<TDb>(this KeelbackBuilder builder, Action<DbContextOptionsBuilder>? configure = null)
        where TDb : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.AddPostgres().Services;

        services.AddDbContext<TDb>((sp, options) =>
        {
            if (sp.GetService<OuterTransaction>()?.Current is { Connection: { } pinned }) options.UseNpgsql(pinned);
            else options.UseNpgsql(sp.GetRequiredService<NpgsqlDataSource>());

            options.UseKeelback();
            configure?.Invoke(options);
        });
        if (!services.Any(s => s.ImplementationInstance is DataContext present && present.Type == typeof(TDb)))
            services.AddSingleton(new DataContext(typeof(TDb)));
        services.TryAddScoped<DbContext>(sp => sp.GetRequiredService<TDb>());
        builder.AddCheck<MigrationCheck>();

        return builder;
    }
}
