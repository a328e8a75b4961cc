using System.Diagnostics;
using System.Globalization;
using Keelback.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Bench.Sides;

/// <summary>Enqueue and drain as an app does it: the client, and a worker with its own scope for each job.</summary>
internal static class KeelbackJobs
{
    private const int JobsACall = 1_000;

    public static async Task<int> RunAsync(string connectionString, int slots)
    {
        await using var db = NpgsqlDataSource.Create(connectionString);
        using var enqueuer = Build(connectionString, slots, runWorker: false);
        await enqueuer.StartAsync();

        Child.Answer("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            var took = words[0] switch
            {
                "enqueue" => await EnqueueAsync(enqueuer, int.Parse(words[1], null)),
                "drain" => await DrainAsync(connectionString, slots, db, int.Parse(words[1], null)),
                _ => await ClearAsync(db),
            };
            Child.Answer(took.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }

        await enqueuer.StopAsync();
        return 0;
    }

    private static async Task<TimeSpan> EnqueueAsync(IHost host, int jobs)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<JobClient>();

        var started = Stopwatch.GetTimestamp();
        for (var done = 0; done < jobs; done += JobsACall)
            await client.EnqueueManyAsync(Enumerable.Range(done, JobsACall).Select(number => Noops.Run(number)));

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>From the worker's start to the commit of the last completion.</summary>
    private static async Task<TimeSpan> DrainAsync(string connectionString, int slots, NpgsqlDataSource db, int jobs)
    {
        using var host = Build(connectionString, slots, runWorker: true);
        var countdown = host.Services.GetRequiredService<Countdown>();
        countdown.Reset(jobs);

        var started = Stopwatch.GetTimestamp();
        await host.StartAsync();
        await countdown.Done;
        while (await ScalarAsync(db, "select exists(select from keelback.claim)") is true) await Task.Yield();
        var took = Stopwatch.GetElapsedTime(started);

        await host.StopAsync();
        if (countdown.Sum != (long)jobs * (jobs - 1) / 2) throw new InvalidOperationException($"The arguments of {jobs} jobs add up to {countdown.Sum}.");
        return took;
    }

    /// <summary>The same tables for every round, with nothing dead in them.</summary>
    private static async Task<TimeSpan> ClearAsync(NpgsqlDataSource db)
    {
        await ScalarAsync(db, "truncate keelback.run, keelback.ready, keelback.claim, keelback.timer, keelback.worker");
        return default;
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource db, string sql)
    {
        await using var command = db.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static IHost Build(string connectionString, int slots, bool runWorker)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Keelback", connectionString)]);
        builder.Services.AddSingleton<Countdown>();
        new KeelbackBuilder(builder).AddJobs(o => (o.Concurrency, o.RunWorker) = (slots, runWorker));
        return builder.Build();
    }
}
