namespace RecordStore.Tests;

/// <summary>A test on the whole of Chinook: the folder in CHINOOK_DATA, or <c>shared/data/chinook</c> beside the repository.</summary>
public sealed class ChinookFactAttribute : FactAttribute
{
    public ChinookFactAttribute()
    {
        if (Folder is null) Skip = "There is no Chinook: set CHINOOK_DATA to the folder of its CSV files.";
    }

    /// <summary>Where the eleven files lie; null when they are not there.</summary>
    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("CHINOOK_DATA") is { Length: > 0 } named) return named;

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "shared", "data", "chinook");
            if (Directory.Exists(beside)) return beside;
        }

        return null;
    }
}
