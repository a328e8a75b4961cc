using System.ComponentModel.DataAnnotations;
using Keelback;
using Keelback.Jobs;
using RecordStore.Import;

namespace RecordStore.Demo;

[Command("demo", "Serve the store with something in it: the files of --data, or a small catalogue of its own", Host = CommandHost.Web)]
public sealed class DemoCommand(ImportRunner runner, Catalogue catalogue, Orders orders, JobClient jobs, IConfiguration configuration) : Command
{
    [Option("The port to serve at"), Range(1, 65535)]
    public int Port { get; init; } = 8000;

    [Option("A folder of CSV files to import first")]
    public string? Data { get; init; }

    private string Url => $"http://localhost:{Port}";

    protected override void BeforeHost() => configuration["urls"] = Url;

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        if (Data is not null && !await runner.RunAsync(Data, Output, ct)) return 1;
        if (Data is null && await catalogue.FillAsync(ct)) await orders.PlaceAsync(ct);

        await jobs.EnqueueAsync(Sales.Month(), ct: ct); // a graph, for the jobs pages to show
        await Output.WriteLineAsync($"The record store is open at {Url}");
        await Task.Delay(Timeout.Infinite, ct);
        return 0;
    }
}
