using Keelback.Postgres.Guardian;

// guard is what PrivateCluster starts; the other verbs are for people: start (until Ctrl-C), url, stop.
try
{
    var options = args.Skip(1).Chunk(2).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
    var cluster = options.TryGetValue("--cluster", out var path)
        ? new ClusterFolder(path)
        : ClusterFolder.For(ProjectFolder.Of(options.GetValueOrDefault("--folder", Environment.CurrentDirectory)));
    var binaries = options.GetValueOrDefault("--binaries");

    switch (args.FirstOrDefault())
    {
        case "guard" when binaries is not null:
            await Guard.RunAsync(cluster, binaries);
            return 0;

        case "start":
            using (var seat = await PrivateCluster.JoinAsync(cluster, binaries, CancellationToken.None))
            {
                Console.WriteLine(seat.Url);
                Console.Error.WriteLine($"Running until Ctrl-C, and as long as the project's other processes use it. Files: {cluster.Path}");
                var end = new TaskCompletionSource();
                Console.CancelKeyPress += (_, e) =>
                {
                    e.Cancel = true;
                    end.TrySetResult();
                };
                AppDomain.CurrentDomain.ProcessExit += (_, _) => end.TrySetResult();
                await end.Task;
            }

            return 0;

        case "url":
            using (var seat = await PrivateCluster.JoinAsync(cluster, binaries, CancellationToken.None)) Console.WriteLine(seat.Url);
            return 0;

        case "stop":
            return await StopAsync(cluster, binaries);

        default:
            Console.Error.WriteLine("Usage: start | url | stop [--folder PROJECT] [--binaries FOLDER]");
            return 2;
    }
}
catch (ClusterException e)
{
    Console.Error.WriteLine($"{e.Code}: {e.Message}");
    return 1;
}

static async Task<int> StopAsync(ClusterFolder cluster, string? binaries)
{
    if (!Directory.Exists(cluster.Data) || Postmaster.Read(cluster.Data) is null)
    {
        Console.Error.WriteLine("It does not run.");
        return 0;
    }

    // Held longest: a guardian that sees a server stop while the seats are locked would start it again.
    using var starting = await FileLock.AloneAsync(cluster.Starting, TimeSpan.FromSeconds(30), default);
    using var users = FileLock.TryAlone(cluster.Users);
    if (users is null)
    {
        Console.Error.WriteLine("Another process of this project uses it; it stops by itself after the last of them.");
        return 1;
    }

    await new ClusterServer(cluster, await Binaries.FindAsync(binaries, null, cluster.Path, default)).StopAsync(default);
    return 0;
}
