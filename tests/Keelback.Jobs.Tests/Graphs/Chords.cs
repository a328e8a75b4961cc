using System.Diagnostics;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Members, plain and transactional, and a body that writes down each time that it ran; and a process that works on them until it dies.</summary>
internal static class Chords
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(3);

    private static readonly JobKind s_plain = TestJobs.Kind("plain", call => Task.FromResult(call.Get<int>("n")));

    private static readonly JobKind s_transactional = TestJobs.Kind("transactional", async call =>
    {
        var n = call.Get<int>("n");
        await NoteAsync(call, "member");
        return n;
    }, defaults => defaults.Transactional = true);

    private static readonly JobKind s_body = TestJobs.Kind("body", async call =>
    {
        await NoteAsync(call, "body");
        return call.Get<int[]>("numbers").Sum();
    }, defaults => defaults.Transactional = true);

    public static async Task CreateAsync(TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand("create table note (what text not null)");
        await command.ExecuteNonQueryAsync();
    }

    public static Job<int> Of(string kind, int members) => s_body.Call<int>(null, new JobBinding("numbers",
        Job.All(Enumerable.Range(1, members).Select(n => (kind == "plain" ? s_plain : s_transactional).Call<int>(new { n })))));

    public static JobHost Host(string connection) => JobHost.Create(connection, [s_plain, s_transactional, s_body],
        o => (o.Lease, o.Heartbeat) = (s_lease, s_lease / 3), data: keelback => keelback.AddData<Notes>());

    public static async Task ServeAsync(string connection)
    {
        await using var host = Host(connection);
        await host.StartAsync();
        await Console.In.ReadLineAsync();
    }

    /// <summary>Another process like this one, whose fail points are the files in a folder.</summary>
    public static Process Start(string connection, string failPoints)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Chords).Assembly.Location, "chords", connection]) { RedirectStandardInput = true };
        start.Environment["KEELBACK_FAILPOINTS"] = failPoints;
        return Process.Start(start)!;
    }

    private static Task<int> NoteAsync(JobCall call, string what) =>
        call.Services.GetRequiredService<Notes>().Database.ExecuteSqlRawAsync("insert into note values ({0})", what);

    private sealed class Notes(DbContextOptions<Notes> options) : DbContext(options);
}
