using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>
/// Two kinds of job that pay into an account and, in a process that can be frozen, stand still half-way: <c>pay</c> with a row
/// locked in its open transaction, <c>tell</c> with a result to report. Neither looks at its token.
/// </summary>
internal static class Payments
{
    public static async Task CreateAsync(TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand(
            "create table account (id int primary key, balance int not null); insert into account values (1, 0)");
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A host whose jobs pay 1, do what they are given to, and pay 1 again.</summary>
    public static JobHost Host(string connection, TimeSpan lease, Func<string, Task> halfWay) => JobHost.Create(
        connection,
        [
            TestJobs.Kind("pay", async call =>
            {
                var db = call.Services.GetRequiredService<Bank>();
                await PayAsync(db);
                await halfWay("pay");
                await PayAsync(db);
            }, defaults => defaults.Transactional = true),
            TestJobs.Kind("tell", async _ =>
            {
                await halfWay("tell");
                return Environment.ProcessId;
            }),
        ],
        o => (o.Lease, o.Heartbeat) = (lease, lease / 3),
        data: keelback => keelback.AddData<Bank>());

    /// <summary>Works until its input ends; jobs wait half-way for a line of it. Says what happens.</summary>
    public static async Task ServeAsync(string connection, TimeSpan lease)
    {
        var line = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = Host(connection, lease, kind =>
        {
            Console.WriteLine($"half-way in {kind}");
            return line.Task;
        });
        using var fenced = new FencedWrites(host, count => Console.WriteLine($"fenced writes: {count}"));
        await host.StartAsync();

        await Console.In.ReadLineAsync();
        line.SetResult();
        await Console.In.ReadLineAsync();
    }

    private static Task<int> PayAsync(Bank db) => db.Database.ExecuteSqlRawAsync("update account set balance = balance + 1 where id = 1");

    private sealed class Bank(DbContextOptions<Bank> options) : DbContext(options);
}
