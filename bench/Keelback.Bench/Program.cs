using Keelback.Bench;
using Keelback.Bench.Floors;
using Keelback.Bench.Sides;

switch (args)
{
    case ["jobs", "keelback", var db, var slots]: return await KeelbackJobs.RunAsync(db, int.Parse(slots, null));
    case ["jobs", "floor", var db, var slots]: return await RawJobs.RunAsync(db, int.Parse(slots, null));
    case ["api", "keelback", var db]: return await KeelbackApi.RunAsync(db);
    case ["api", "floor", var db]: return await MinimalApi.RunAsync(db);
    case ["load"]: return await Load.RunAsync();
}

var options = BenchOptions.Parse(args);
await using var database = await BenchDatabase.CreateAsync(options.Durable);
var (postmaster, settings) = await database.DescribeAsync();
var unpin = options.IsSmoke ? null : Cores.PinServer(postmaster);
try
{
    var results = new List<Comparison>();
    results.AddRange(await JobsBench.RunAsync(database, options));
    results.AddRange(await ApiBench.RunAsync(database, options));

    var report = Report.Write(options, settings, unpin is not null, results);
    Console.WriteLine(report);
    if (options.IsSmoke) return 0; // shows that the benchmarks run, not what they measure

    var file = Path.Combine("bench", "results", options.File + ".md");
    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
    await File.WriteAllTextAsync(file, report);
    return results.All(r => r.Passes) ? 0 : 1;
}
finally
{
    unpin?.Invoke();
}
