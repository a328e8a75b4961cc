using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace Keelback.Data;

/// <summary>Adds our conventions to EF's.</summary>
internal sealed class KeelbackConventions : IConventionSetPlugin
{
    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        // Before the convention that makes names in shared tables unique: it must see ours.
        var finalizing = conventionSet.ModelFinalizingConventions;
        var shared = finalizing.FindIndex(c => c is SharedTableConvention);
        finalizing.InsertRange(shared < 0 ? finalizing.Count : shared, [new RowConvention(), new SnakeCaseConvention()]);

        return conventionSet;
    }
}
