using System.ComponentModel.DataAnnotations.Schema;

namespace RecordStore;

/// <summary>A row that an import did not take, and every reason why.</summary>
[Table("import_reject")]
public sealed class ImportReject
{
    public long Id { get; init; }

    public long ImportFileId { get; init; }

    /// <summary>The line in the file on which the row begins; the header is line 1.</summary>
    public long Line { get; init; }

    public required string Reason { get; init; }
}
