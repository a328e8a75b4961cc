using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Payloads of other versions, secret ones, large ones and odd ones.</summary>
public sealed class PayloadTests : JobsTest
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string OtherKey = "HxgZGhscHR4fAAECAwQFBgcICQoLDA0ODxAREhMUFRY=";

    private abstract class FromV1 : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload)
        {
            payload["cents"] = (int)(payload["euros"]!.GetValue<decimal>() * 100);
            payload.Remove("euros");
            return payload;
        }
    }

    private abstract class FromV2 : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload) => new() { ["price"] = new JsonObject { ["amount"] = payload["cents"]!.DeepClone(), ["currency"] = "EUR" } };
    }

    private sealed record Price(int Amount, string Currency);

    private static JobKind Old => TestJobs.Kind("pay", call => Task.FromResult($"{call.Get<decimal>("euros")}"));

    private static JobKind New => TestJobs.Kind("pay", call => Task.FromResult(call.Get<Price>("price").ToString()), d => d.Version = 3)
        .With(new UpgradeAttribute<FromV1>(1), new UpgradeAttribute<FromV2>(2));

    private static Job Described(JobKind kind, string parameter, object value) => new JobPayload().Add(parameter, value).ToJob(kind);

    [Fact]
    public async Task Rows_of_older_code_are_brought_to_the_newest_version_step_by_step()
    {
        await using var host = JobHost.Create(Database, [New]);
        var first = await host.Jobs.EnqueueAsync(Described(Old, "euros", 1.5m));
        var second = await host.Jobs.EnqueueAsync(New.Call(new Dictionary<string, object> { ["$version"] = 2, ["cents"] = 250 }));
        var third = await host.Jobs.EnqueueAsync(Described(New, "price", new Price(7, "USD")));
        await host.StartAsync();

        Assert.Equal("Price { Amount = 150, Currency = EUR }", (await host.EndOf(first)).Result<string>());
        Assert.Equal("Price { Amount = 250, Currency = EUR }", (await host.EndOf(second)).Result<string>());
        Assert.Equal("Price { Amount = 7, Currency = USD }", (await host.EndOf(third)).Result<string>());
    }

    [Fact]
    public async Task Old_code_hands_a_row_of_newer_code_back_with_its_attempt_and_new_code_runs_it()
    {
        await using var old = await JobHost.Create(Database, [Old], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        var id = await old.Jobs.EnqueueAsync(Described(New, "price", new Price(7, "USD")));
        await Eventually(async () => (await old.Jobs.GetAsync(id))!.State == JobRunState.Scheduled, "it is handed back");
        var handedBack = await old.Jobs.GetAsync(id);
        await old.StopAsync();

        await using var host = await JobHost.Create(Database, [New], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        Clock.Advance(TimeSpan.FromSeconds(31));
        var run = await host.EndOf(id);

        Assert.Equal((0, JobRunState.Succeeded, 1), (handedBack!.Attempt, run.State, run.Attempt));
        Assert.Equal("KB1275: A payload of 'pay' is of version 3, and this program knows 1; it was handed back. Deploy the code that wrote it.",
            JobErrors.NewerPayload("pay", 3, 1));
    }

    [Fact]
    public async Task A_version_that_nothing_upgrades_is_found_before_the_start()
    {
        var gap = TestJobs.Kind("gap", _ => Task.CompletedTask, d => d.Version = 3).With(new UpgradeAttribute<FromV2>(2));
        await using var host = JobHost.Create(Database, [gap]);
        var findings = new Findings();

        await new JobsCheck(host.Services).RunAsync(findings, default);

        Assert.Contains(findings.All, f => f.Code == "KB1276" && f.Message ==
            "'gap' is of version 3, and nothing turns a payload of version 1 into the next. Add [Upgrade<T>(1)] to the method.");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_secret_is_stored_encrypted_and_read_in_the_open(bool byKey)
    {
        var login = Secretive("login", call => Task.FromResult(call.Get<string>("user") + call.Get<string>("password").Length));
        await using var host = await JobHost.Create(Database, [login], o => SetKeys(o, byKey ? [Key] : []), services: s => s.AddDataProtection().UseEphemeralDataProtectionProvider()).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(new { user = "ada", password = "hunter2 ☂" })));

        Assert.Equal("ada9", run.Result<string>());
        var stored = await host.ScalarAsync<string>($"select input::text from keelback.run where id = {run.Id}");
        Assert.Contains(byKey ? "\"password\": {\"$secret\": \"k:" : "\"password\": {\"$secret\": \"p:", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", await host.ScalarAsync<string>("select string_agg(r::text, ' ') from keelback.run r"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_key_still_opens_and_a_lost_one_is_an_error_that_says_so()
    {
        var login = Secretive("login", call => Task.FromResult(call.Get<string>("password")), d => d.MaxAttempts = 1);
        await using var before = JobHost.Create(Database, [login], o => SetKeys(o, [OtherKey]));
        var first = await before.Jobs.EnqueueAsync(login.Call(new { password = "a" }));

        await using (var rotated = await JobHost.Create(Database, [login], o => SetKeys(o, [Key, OtherKey])).StartAsync())
            Assert.Equal("a", (await rotated.EndOf(first)).Result<string>());
        var second = await before.Jobs.EnqueueAsync(login.Call(new { password = "b" })); // who has its key is gone
        await using var lost = await JobHost.Create(Database, [login], o => SetKeys(o, [Key])).StartAsync();

        Assert.Equal("KB1278: No key opens the secret 'password' of 'login'. Keep a key in Keelback:Jobs:SecretKeys until no row needs it, " +
            "and let all processes share the keys of data protection.", (await lost.EndOf(second)).Error!.Message);
    }

    private abstract class Renamed : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload) => new() { ["pwd"] = payload["password"]!.DeepClone() };
    }

    private abstract class Dropped : IPayloadUpgrade
    {
        public static JsonObject Upgrade(JsonObject payload) => new() { ["length"] = payload["password"]!.GetValue<string>().Length };
    }

    public static TheoryData<string, JobKind> Newer => new()
    {
        { "hunter2", TestJobs.Kind("login", call => Task.FromResult(call.Get<string>("pwd")), d => d.Version = 2).With(new UpgradeAttribute<Renamed>(1)).Secret("pwd") },
        { "7", TestJobs.Kind("login", call => Task.FromResult($"{call.Get<int>("length")}"), d => d.Version = 2).With(new UpgradeAttribute<Dropped>(1)) },
        { "hunter2", TestJobs.Kind("login", call => Task.FromResult(call.Get<string>("password"))) }, // no longer [Secret]
    };

    [Theory, MemberData(nameof(Newer))]
    public async Task A_secret_of_older_code_is_opened_under_its_old_name(string expected, JobKind newer)
    {
        var login = Secretive("login", call => Task.FromResult(call.Get<string>("password")));
        await using var before = JobHost.Create(Database, [login], o => SetKeys(o, [Key]));
        var id = await before.Jobs.EnqueueAsync(login.Call(new { password = "hunter2" }));

        await using var host = await JobHost.Create(Database, [newer], o => SetKeys(o, [Key])).StartAsync();

        Assert.Equal(expected, (await host.EndOf(id)).Result<string>());
    }

    [Fact]
    public async Task What_is_sealed_already_is_not_sealed_again_and_what_no_key_opens_is_refused()
    {
        var login = Secretive("login", call => Task.FromResult(call.Get<string>("password")));
        await using var host = await JobHost.Create(Database, [login], o => SetKeys(o, [Key])).StartAsync();
        var first = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(new { password = "hunter2" })));
        var stored = JsonNode.Parse(await host.ScalarAsync<string>($"select input::text from keelback.run where id = {first.Id}"))!;

        var copy = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(stored)));
        var forged = new[] { "k:c2VhbGVk", "k:?", "k:" + Convert.ToBase64String(new byte[40]) };

        Assert.Equal("hunter2", copy.Result<string>());
        foreach (var envelope in forged)
            Assert.Equal("KB1278", (await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(login.Call(
                new { password = new Dictionary<string, string> { ["$secret"] = envelope } })))).Code);
    }

    [Fact]
    public async Task A_secret_without_a_key_or_from_another_job_is_refused()
    {
        var login = Secretive("login", _ => Task.CompletedTask);
        var make = TestJobs.Kind("make", _ => Task.FromResult("x"));
        await using var keyless = JobHost.Create(Database, [login]);
        await using var host = JobHost.Create(Database, [login], o => SetKeys(o, [Key]));

        var noKey = await Assert.ThrowsAsync<KeelbackException>(() => keyless.Jobs.EnqueueAsync(login.Call(new { password = "a" })));
        var bound = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(login.Call(new { }, new JobBinding("password", make.Call<string>()))));

        Assert.Equal("KB1277: 'login' takes or returns what is [Secret], and there is no key to encrypt it with. " +
            "Set Keelback:Jobs:SecretKeys to 32 random bytes as base64, or call AddDataProtection().", noKey.Message);
        Assert.Equal("KB1208: 'login' cannot be enqueued so: its secret 'password' cannot be another job's result, which is stored in the open.", bound.Message);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task A_secret_in_a_key_is_refused_at_the_start_and_at_the_call()
    {
        const string Mistake = "'login' names its secret 'password', and keys are stored and shown in the open. Leave it out, or pass what the key needs as a parameter of its own.";
        var login = new JobKind("login", typeof(PayloadTests), new("login") { Tenant = "{password}" }, static _ => default)
        {
            Secrets = ["password"],
            Metadata = [new UniqueAttribute("{user}:{password.Length}"), new LimitAttribute("login:{Password}") { Slots = 1 }],
        };
        var plain = Secretive("login", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [login], o => SetKeys(o, [Key]));
        await using var other = JobHost.Create(Database, [plain], o => SetKeys(o, [Key]));
        var findings = new Findings();

        await new JobsCheck(host.Services).RunAsync(findings, default);
        var errors = new List<string>();
        foreach (var options in new EnqueueOptions[] { new() { Tenant = "{password}" }, new() { Unique = new("{password}") }, new() { Limits = ["login:{password}"] } })
            errors.Add((await Assert.ThrowsAsync<KeelbackException>(() => other.Jobs.EnqueueAsync(plain.Call(new { password = "hunter2" }), options))).Message);

        Assert.Equal([$"The key '{{password}}' of {Mistake}", $"The key '{{user}}:{{password.Length}}' of {Mistake}", $"The key 'login:{{Password}}' of {Mistake}"],
            findings.All.Where(f => f.Code == "KB1234").Select(f => f.Message));
        Assert.Equal([$"KB1234: The key '{{password}}' of {Mistake}", $"KB1234: The key '{{password}}' of {Mistake}", $"KB1234: The key 'login:{{password}}' of {Mistake}"], errors);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Theory]
    [InlineData(PayloadRules.MaxBytes - 1, true), InlineData(PayloadRules.MaxBytes, true), InlineData(PayloadRules.MaxBytes + 1, false)]
    public async Task A_payload_and_a_result_may_be_as_large_as_the_limit_and_no_larger(int bytes, bool fits)
    {
        var echo = TestJobs.Kind("echo", call => Task.FromResult(new string('x', call.Get("n", 0))));
        await using var host = await StartAsync(echo);

        var payload = await Record.ExceptionAsync(() => host.Jobs.EnqueueAsync(echo.Call(new { a = new string('x', bytes - """{"a":""}""".Length) }), new() { Delay = TimeSpan.FromDays(1) }));
        var result = await host.EndOf(await host.Jobs.EnqueueAsync(echo.Call(new { n = bytes - 2 })));

        Assert.Equal(fits ? null : "KB1206", (payload as KeelbackException)?.Code);
        Assert.Equal((fits ? JobRunState.Succeeded : JobRunState.Failed, 1, fits ? null : "KB1212"), (result.State, result.Attempt, result.Error?.Message[..6]));
        Assert.Equal(fits ? 2 : 1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task A_raised_limit_holds_for_arguments_and_results()
    {
        var echo = TestJobs.Kind("echo", call => Task.FromResult(call.Get<string>("a")));
        await using var host = await JobHost.Create(Database, [echo], o => o.MaxPayload = 4 * 1024 * 1024).StartAsync();
        var text = string.Concat(Enumerable.Range(0, 300_000).Select(i => (char)('a' + i * 7 % 26)));

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(echo.Call(new { a = text })));

        Assert.Equal(text, run.Result<string>());
    }

    public static TheoryData<string, Func<Job>> Odd => new()
    {
        { "NaN", () => new JobPayload().Add("a", double.NaN).ToJob(Old) },
        { "infinity in a record", () => new JobPayload().Add("a", new[] { double.PositiveInfinity }).ToJob(Old) },
        { "half of a surrogate pair", () => new JobPayload().Add("a", "x\uD800y").ToJob(Old) },
        { "depth 65", () => new JobPayload().Add("a", Nested(65)).ToJob(Old) },
    };

    [Theory, MemberData(nameof(Odd))]
    public void What_json_cannot_hold_is_an_error_that_names_the_argument(string what, Func<Job> describe)
    {
        var error = Assert.Throws<KeelbackException>(() => describe());

        Assert.True(error.Code == "KB1279" && error.Message.StartsWith("KB1279: The argument 'a' of type ", StringComparison.Ordinal), what);
    }

    [Fact]
    public async Task Numbers_and_text_at_the_edge_come_back_as_they_were()
    {
        var echo = TestJobs.Kind("echo", call => Task.FromResult(call.Get<JsonElement>("a")));
        await using var host = await StartAsync(echo);

        foreach (var value in new[] { "1e307", "-0.0000000000000000000000000001", "9223372036854775807", "\"\\ud83d\\ude00 \\\\u0000 \\u007f\"", "[]", "null" })
        {
            using var document = JsonDocument.Parse(value);
            var run = await host.EndOf(await host.Jobs.EnqueueAsync(echo.Call(new { a = document.RootElement })));

            Assert.True(JsonElement.DeepEquals(document.RootElement, run.Output!.Value), value);
        }
    }

    private static object Nested(int depth) => depth == 0 ? 1 : new[] { Nested(depth - 1) };

    private static JobKind Secretive(string name, Func<JobCall, Task> body) => TestJobs.Kind(name, body).Secret("password");

    internal static JobKind Secretive<T>(string name, Func<JobCall, Task<T>> body, Action<JobAttribute>? configure = null) => TestJobs.Kind(name, body, configure).Secret("password");

    private static void SetKeys(JobsOptions options, string[] keys)
    {
        foreach (var key in keys) options.SecretKeys.Add(key);
    }
}
