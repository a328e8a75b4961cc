using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Keelback.Data;

/// <summary>What kind of rule a row broke.</summary>
internal enum ConstraintKind
{
    Unique,
    ForeignKey,
    Check,
    Required,
    TooLong,
}

/// <summary>A rule of the database that a write broke, in the words of the model.</summary>
/// <param name="Kind">By SQLSTATE.</param>
/// <param name="Constraint">The constraint's name; for a missing value the column's; empty for a text that is too long.</param>
/// <param name="Entity">The entity whose table raised it; null when the model does not map it.</param>
/// <param name="Properties">The entity's properties that the rule is about; empty when the model does not tell.</param>
/// <param name="OnDelete">A foreign key that other rows hold: the row could not be deleted or renumbered.</param>
/// <remarks>Found by SQLSTATE and constraint name only: messages are translated, and are for people.</remarks>
internal sealed record ConstraintViolation(
    ConstraintKind Kind, string Constraint, IEntityType? Entity, IReadOnlyList<IProperty> Properties, bool OnDelete)
{
    /// <summary>Null when the failure is something else than a broken rule.</summary>
    /// <param name="failure">A <see cref="DbUpdateException"/>, a <see cref="PostgresException"/>, or what wraps one.</param>
    /// <param name="db">The context, for its model.</param>
    public static ConstraintViolation? From(Exception failure, DbContext db) => failure switch
    {
        DbUpdateException { InnerException: PostgresException postgres } update => From(postgres, db, update.Entries),
        PostgresException postgres => From(postgres, db, []),
        { InnerException: { } inner } => From(inner, db),
        _ => null,
    };

    /// <summary>One error for each property, at <c>/property</c> in camelCase; for the whole body where the model does not tell.</summary>
    public IReadOnlyList<FieldError> ToErrors() => Properties.Count == 0 || OnDelete
        ? [FieldError.InBody("", Code, Message)]
        : [.. Properties.Select(p => FieldError.InBody(ConstraintPointer.Of(p), Code, Message))];

    /// <summary>The <c>code</c> of a field error.</summary>
    public string Code => Kind switch
    {
        ConstraintKind.Unique => "unique",
        ConstraintKind.ForeignKey => OnDelete ? "in_use" : "unknown",
        ConstraintKind.Check => "check",
        ConstraintKind.Required => "required",
        _ => "too_long",
    };

    private string Message => Kind switch
    {
        ConstraintKind.Unique when Properties.Count > 1 => "There is one with these values already.",
        ConstraintKind.Unique => "There is one with this value already.",
        ConstraintKind.ForeignKey => OnDelete ? "Other entries refer to it." : "There is no such entry.",
        ConstraintKind.Check => $"Breaks the rule {Constraint}.",
        ConstraintKind.Required => "Must have a value.",
        _ => "Is too long.",
    };

    private static ConstraintViolation? From(PostgresException failure, DbContext db, IReadOnlyList<EntityEntry> entries)
    {
        ConstraintKind? kind = failure.SqlState switch
        {
            PostgresErrorCodes.UniqueViolation => ConstraintKind.Unique,
            PostgresErrorCodes.ForeignKeyViolation => ConstraintKind.ForeignKey,
            PostgresErrorCodes.CheckViolation => ConstraintKind.Check,
            PostgresErrorCodes.NotNullViolation => ConstraintKind.Required,
            PostgresErrorCodes.StringDataRightTruncation => ConstraintKind.TooLong,
            _ => null,
        };

        return kind is null ? null : new ConstraintMap(db).Find(kind.Value, failure, entries);
    }
}
