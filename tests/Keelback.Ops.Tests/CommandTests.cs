using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops.Tests;

public sealed class CommandTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");
    private static readonly JobKind s_bad = TestJobs.Kind("import.rows", _ => throw new InvalidOperationException("Out of paper\n\u001b[2J"), j => j.MaxAttempts = 1);

    [Fact]
    public async Task Runs_are_listed_and_shown_as_lines_or_json()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail, s_bad]);
        var mail = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada" }));
        var bad = await app.Jobs.EnqueueAsync(s_bad.Call());
        await app.DrainAsync();
        await app.CopyAsync();

        var list = await RunAsync("jobs", "list", "--state", "failed");
        var json = await RunAsync("jobs", "list", "--kind", "mail.send", "--json");
        var show = await RunAsync("jobs", "show", mail.ToString());

        Assert.Equal(0, list.Code);
        Assert.Matches($@"RUN +STATE +KIND +QUEUE +ATTEMPT +ENQUEUED +ERROR\n{bad} +failed +import.rows +default +1/1 .* ago +Out of paper\n", list.Out);
        Assert.DoesNotContain('\u001b', list.Out);
        using var document = JsonDocument.Parse(json.Out);
        Assert.Equal(mail, document.RootElement.GetProperty("runs")[0].GetProperty("id").GetInt64());
        Assert.Contains("\"to\": \"ada\"", show.Out);
    }

    [Fact]
    public async Task An_action_is_done_and_audited()
    {
        await using var app = await OpsApp.StartAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call());

        var paused = await RunAsync("jobs", "pause", "mail");
        var copied = await RunAsync("jobs", "copy", run.ToString(), "--arguments", """{"to": "bob"}""");
        var cancelled = await RunAsync("jobs", "cancel", run.ToString());
        var audit = await RunAsync("jobs", "audit");

        Assert.Equal([(0, "paused\n"), (0, "cancelled\n")], [(paused.Code, paused.Out), (cancelled.Code, cancelled.Out)]);
        Assert.StartsWith("enqueued run ", copied.Out);
        Assert.Equal(3, audit.Out.Split("  cli  ").Length - 1);
        Assert.Equal(2L, await app.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Theory]
    [InlineData(1, "KB1703: There is no queue 'mial' in this app. Did you mean 'mail'? It has default, mail.", "jobs", "pause", "mial")]
    [InlineData(1, "KB1703: There is no queue 'mial' in this app. Did you mean 'mail'?", "jobs", "list", "--queue", "mial")]
    [InlineData(1, "KB1704: There is no job kind 'mail.sent', neither in this program nor among its runs. Did you mean 'mail.send'?", "jobs", "list", "--kind", "mail.sent")]
    [InlineData(1, "KB1705: 'faild' is no state. Did you mean 'failed'? States are ready, scheduled,", "jobs", "list", "--state", "faild")]
    [InlineData(1, "KB1708: 'soon' is no point in time.", "jobs", "list", "--from", "soon")]
    [InlineData(1, "KB1709: 'x' is no run's id", "jobs", "show", "x")]
    [InlineData(1, "KB1710: 'jobs cancel' needs a RUN", "jobs", "cancel")]
    [InlineData(1, "KB1218: There is no run 4711", "jobs", "show", "4711")]
    [InlineData(2, "'jobs' cannot 'lst'. Did you mean 'list'?", "jobs", "lst")]
    public async Task A_mistake_is_told_with_the_way_out(int code, string message, params string[] arguments)
    {
        await using (var app = await OpsApp.StartAsync(Database, [s_mail, s_bad]))
        {
            await app.Jobs.EnqueueAsync(s_mail.Call());
            await app.CopyAsync();
        }

        var answer = await RunAsync(arguments);

        Assert.Equal(code, answer.Code);
        Assert.StartsWith(message, answer.Error);
    }

    private async Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", ApplicationName = "test" });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(NpgsqlDataSource.Create(Database.ConnectionString));
        builder.Services.AddSingleton(new Terminal(output, error, TextReader.Null));
        var keelback = builder.AddKeelback().AddPostgres(o => (o.App, o.ListenConnection) = ("test", ""));
        keelback.Services.AddJobKind(s_mail);
        keelback.Services.AddJobKind(s_bad);
        var app = builder.Build();
        app.UseKeelback();
        var code = await app.RunKeelbackAsync(arguments);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }
}
