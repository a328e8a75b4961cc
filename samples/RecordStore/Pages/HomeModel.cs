namespace RecordStore.Pages;

/// <summary>What the first page shows: what runs, where, and what is in the store.</summary>
public sealed record HomeModel(
    string Environment,
    string Database,
    string Worker,
    string Mail,
    IReadOnlyList<HomeCount> Counts,
    IReadOnlyList<HomeEndpointLine> Endpoints,
    IReadOnlyList<HomeJob> Jobs,
    HomeMails Mails,
    HomeImport? Import);

/// <summary>How many rows there are of one thing, and where to see them.</summary>
public sealed record HomeCount(string Name, int Rows, string Link);

/// <summary>One route; <paramref name="Link"/> leads to an answer that a browser can show.</summary>
public sealed record HomeEndpointLine(string Path, string Methods, string? Link);

/// <summary>One kind of job.</summary>
public sealed record HomeJob(string Kind, string Queue, int MaxAttempts, bool Transactional);

/// <summary>Receipts: written by a job, delivered by another.</summary>
public sealed record HomeMails(int Written, int Delivered);

/// <summary>The last import of files.</summary>
public sealed record HomeImport(string Folder, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, long Rows, long Rejected);
