namespace RecordStore.Import;

/// <summary>What came of one file: every row it holds is in exactly one of the four.</summary>
public sealed record FileResult(string File, long Inserted, long Updated, long Unchanged, long Rejected)
{
    /// <summary>The rows that were read.</summary>
    public long Read => Inserted + Updated + Unchanged + Rejected;
}

/// <summary>What came of all files of one import.</summary>
public sealed record ImportResult(IReadOnlyList<FileResult> Files)
{
    public long Read => Files.Sum(file => file.Read);

    public long Inserted => Files.Sum(file => file.Inserted);

    public long Updated => Files.Sum(file => file.Updated);

    public long Unchanged => Files.Sum(file => file.Unchanged);

    public long Rejected => Files.Sum(file => file.Rejected);
}
