using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;

namespace RecordStore;

/// <summary>What came of one file of an import; written in the transaction that wrote its rows.</summary>
[Table("import_file")]
public sealed class ImportFile
{
    public long Id { get; init; }

    public long ImportRunId { get; init; }

    [MaxLength(100)]
    public required string File { get; init; }

    public long Inserted { get; init; }

    public long Updated { get; init; }

    public long Unchanged { get; init; }

    public long Rejected { get; init; }

    public List<ImportReject> Rejects { get; } = [];
}
