using Keelback;

namespace RecordStore.Import;

[Command("import", "Bring the CSV files of a folder into the store", Host = CommandHost.Workers)]
public sealed class ImportCommand(ImportRunner runner) : Command
{
    [Argument("The folder with artist.csv, album.csv, track.csv …")]
    public required string Folder { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct) => await runner.RunAsync(Folder, Output, ct) ? 0 : 1;
}
