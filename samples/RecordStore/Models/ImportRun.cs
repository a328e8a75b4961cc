using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;

namespace RecordStore;

/// <summary>One <c>import FOLDER</c>: what came of each file. It is finished when its last job is.</summary>
[Table("import_run")]
public sealed class ImportRun
{
    public long Id { get; init; }

    [MaxLength(1000)]
    public required string Folder { get; init; }

    /// <summary>The run of the graph's last job.</summary>
    public long? JobId { get; set; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; set; }

    public List<ImportFile> Files { get; } = [];
}
