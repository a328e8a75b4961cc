using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace Keelback.Data;

/// <summary>Maps what <see cref="ITimestamped"/> and <see cref="IVersioned"/> promise.</summary>
internal sealed class RowConvention : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var type in modelBuilder.Metadata.GetEntityTypes())
        {
            if (typeof(ITimestamped).IsAssignableFrom(type.ClrType))
            {
                Timestamp(type.FindDeclaredProperty(nameof(ITimestamped.CreatedAt)));
                Timestamp(type.FindDeclaredProperty(nameof(ITimestamped.UpdatedAt)));
            }

            if (typeof(IVersioned).IsAssignableFrom(type.ClrType)
                && type.FindDeclaredProperty(nameof(IVersioned.Version)) is { } version)
            {
                version.Builder.IsConcurrencyToken(true);
                version.Builder.ValueGenerated(ValueGenerated.OnAddOrUpdate);
            }
        }
    }

    private static void Timestamp(IConventionProperty? property)
    {
        if (property is null) return;

        property.Builder.ValueGenerated(ValueGenerated.OnAdd);
        property.Builder.HasDefaultValueSql("now()");
    }
}
