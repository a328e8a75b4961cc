namespace Keelback.Data;

/// <summary>An entity that knows when its row was made and last changed, both in UTC.</summary>
/// <remarks>
/// The columns default to <c>now()</c>, so rows inserted by plain SQL have them too. SaveChanges moves <see cref="UpdatedAt"/>
/// by the app's <see cref="TimeProvider"/>; <c>ExecuteUpdate</c> and plain SQL updates set it themselves.
/// </remarks>
public interface ITimestamped
{
    /// <summary>When the row was inserted; set by the database, never changed afterwards.</summary>
    DateTimeOffset CreatedAt { get; }

    /// <summary>When the row was last changed through SaveChanges; the insert counts.</summary>
    DateTimeOffset UpdatedAt { get; }
}
