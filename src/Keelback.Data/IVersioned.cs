namespace Keelback.Data;

/// <summary>An entity whose concurrent changes are found: saving a row that changed since it was read throws <c>DbUpdateConcurrencyException</c>.</summary>
public interface IVersioned
{
    /// <summary>PostgreSQL's <c>xmin</c>, the transaction that wrote the row; it costs no column.</summary>
    uint Version { get; }
}
