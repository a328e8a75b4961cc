using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Members that are [Secret], of what jobs take, return and report.</summary>
public sealed class SecretMemberTests : JobsTest
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private sealed record Login(string User, [Secret] string? Password);

    private sealed record Card([property: Secret, JsonNumberHandling(JsonNumberHandling.WriteAsString)] long Number);

    private sealed class Account
    {
        public Login? Login { get; init; }

        public List<Card> Cards { get; init; } = [];

        [JsonInclude, Secret]
        public Dictionary<string, Login> Others = [];
    }

    private sealed class Reversed : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Turn(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(Turn(value));

        private static string Turn(string text) => new([.. text.Reverse()]);
    }

    private sealed record Odd([property: Secret, JsonConverter(typeof(Reversed))] string Word);

    private sealed record Extended
    {
        [Secret, JsonExtensionData]
        public Dictionary<string, object>? More { get; init; }
    }

    private static Account Ada => new()
    {
        Login = new("ada", "hunter2 ☂"),
        Cards = [new(4111), new(4222)],
        Others = new() { ["bob"] = new("bob", "hunter2-too") },
    };

    private static string Told(Account a) => $"{a.Login} {string.Join(' ', a.Cards)} {a.Others.GetValueOrDefault("bob")}";

    [Theory, InlineData(true), InlineData(false)]
    public async Task Members_are_stored_encrypted_wherever_they_stand_and_read_in_the_open(bool byKey)
    {
        var open = TestJobs.Kind("open", async call =>
        {
            await call.Services.GetRequiredService<JobContext>().ReportAsync(Ada);
            return call.Get<Account>("account");
        });
        var close = TestJobs.Kind("close", call => Task.FromResult(Told(call.Get<Account>("account")).Length));
        await using var host = await JobHost.Create(Database, [open, close], o => SetKey(o, byKey), services: s => s.AddDataProtection().UseEphemeralDataProtectionProvider()).StartAsync();

        var first = open.Call<Account>(new { account = Ada });
        var second = close.Call<int>(new { }, new JobBinding("account", first));
        var end = await host.EndOf(await host.Jobs.EnqueueAsync(second));
        var graph = (await host.Jobs.GetGraphAsync(end.Id))!;
        var opened = (await host.Jobs.GetAsync(graph.Nodes.Single(n => n.Kind == "open").Id))!;

        Assert.Equal(Told(Ada).Length, end.Result<int>());
        Assert.Equal((Told(Ada), Told(Ada)), (Told(opened.Result<Account>()!), Told(opened.ProgressAs<Account>()!)));
        Assert.Contains("$secret", opened.Output!.Value.GetRawText(), StringComparison.Ordinal);
        await ShouldHideAsync(host, "hunter2", "4111", "4222");
        Assert.Equal(2, await host.ScalarAsync<int>("select count(*)::int from keelback.run where input::text || output::text like '%\"user\": \"ada\"%' or kind = 'close'"));
    }

    [Fact]
    public async Task What_the_engine_hands_on_stays_sealed()
    {
        var make = TestJobs.Kind("make", _ => Task.FromResult(Ada.Cards));
        var pay = TestJobs.Kind("pay", call => Task.FromResult(new Card(call.Get<Card>("card").Number + 1)));
        var sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<Card[]>("cards").Sum(card => card.Number)));
        await using var host = await JobHost.Create(Database, [make, pay, sum], o => SetKey(o)).StartAsync();

        var known = Job.Map(Ada.Cards, card => pay.Call<Card>(null, EdgeRuleTests.Bound("card", card)));
        var later = Job.Map(make.Call<List<Card>>(), card => pay.Call<Card>(null, EdgeRuleTests.Bound("card", card)));
        var runs = new List<long>();
        foreach (var map in new[] { known, later })
            runs.Add(await host.Jobs.EnqueueAsync(sum.Call<long>(null, new JobBinding("cards", map))));

        foreach (var run in runs) Assert.Equal(4112 + 4223, (await host.EndOf(run)).Result<long>());
        await ShouldHideAsync(host, "4111", "4222", "4112", "4223");
    }

    [Fact]
    public async Task A_member_that_is_null_or_has_a_converter_or_stands_in_another_secret_comes_back()
    {
        var login = TestJobs.Kind("login", call => Task.FromResult(call.Get<Login>("login").Password is null));
        var odd = TestJobs.Kind("odd", call => Task.FromResult(call.Get<Odd>("odd")));
        var whole = TestJobs.Kind("whole", call => Task.FromResult(call.Get<Login>("login").Password)).Secret("login");
        await using var host = await JobHost.Create(Database, [login, odd, whole], o => SetKey(o)).StartAsync();

        var none = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(new { login = new Login("ada", null) })));
        var turned = await host.EndOf(await host.Jobs.EnqueueAsync(odd.Call(new { odd = new Odd("abc") })));
        var covered = await host.EndOf(await host.Jobs.EnqueueAsync(whole.Call(new { login = new Login("ada", "hunter2") })));

        Assert.Equal((true, "abc", "hunter2"), (none.Result<bool>(), turned.Result<Odd>()!.Word, covered.Result<string>()));
        var stored = JsonNode.Parse(await host.ScalarAsync<string>("select input::text from keelback.run where kind = 'login'"))!;
        Assert.StartsWith("k:", stored["login"]!["password"]!["$secret"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["login"], JsonNode.Parse(await host.ScalarAsync<string>("select input::text from keelback.run where kind = 'whole'"))!.AsObject().Select(m => m.Key));
        Assert.DoesNotContain("ada", await host.ScalarAsync<string>("select input::text from keelback.run where kind = 'whole'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sealed_member_stands_under_its_own_name_alone_and_what_no_key_opens_is_refused()
    {
        var login = TestJobs.Kind("login", call => Task.FromResult(call.Get<Login>("login").Password));
        await using var host = await JobHost.Create(Database, [login], o => SetKey(o)).StartAsync();
        var run = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(new { login = new Login("ada", "hunter2") })));
        var stored = JsonNode.Parse(await host.ScalarAsync<string>($"select input::text from keelback.run where id = {run.Id}"))!;
        var moved = new { login = new { user = stored["login"]!["password"]!.DeepClone() } };

        var copy = await host.EndOf(await host.Jobs.EnqueueAsync(login.Call(stored)));
        var refused = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(login.Call(moved)));

        Assert.Equal("hunter2", copy.Result<string>());
        Assert.StartsWith("KB1278: No key opens the secret 'user' of 'login'.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schedule_and_a_map_with_a_secret_in_their_calls_store_it_encrypted()
    {
        var pay = TestJobs.Kind("pay", call => Task.FromResult((call.Get<Card>("card").Number * 2) + call.Get("n", 0)));
        await using var host = await JobHost.Create(Database, [pay], o => SetKey(o)).StartAsync();
        var schedules = host.Services.GetRequiredService<JobSchedules>();

        await schedules.AddAsync("nightly", Trigger.Every(TimeSpan.FromHours(1)), pay.Call(new { card = new Card(4111) }));
        var ticked = await host.EndOf(await schedules.RunNowAsync("nightly"));
        var mapped = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(new[] { 1, 2 },
            n => pay.Call<long>(new { card = new Card(4111) }, EdgeRuleTests.Bound("n", n)))));

        Assert.Equal(8222, ticked.Result<long>());
        Assert.Equal([8223, 8224], mapped.Result<long[]>()!);
        await ShouldHideAsync(host, "4111");
        Assert.DoesNotContain("4111", await host.ScalarAsync<string>("select string_agg(s::text, ' ') from keelback.schedule s"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_in_a_key_and_one_without_a_key_are_refused_and_so_is_one_that_has_no_name()
    {
        const string Kind = "login";
        var login = TestJobs.Kind(Kind, _ => Task.FromResult(new Card(1)), d => d.MaxAttempts = 1);
        var job = login.Call(new { login = new Login("ada", "hunter2") });
        await using var host = JobHost.Create(Database, [login], o => SetKey(o));
        await using var keyless = await JobHost.Create(Database, [login]).StartAsync();

        var inKey = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(job, new() { Unique = new("{login.Password}") }));
        var noKey = await Assert.ThrowsAsync<KeelbackException>(() => keyless.Jobs.EnqueueAsync(job));
        var result = await keyless.EndOf(await keyless.Jobs.EnqueueAsync(login.Call()));
        var nameless = Assert.Throws<KeelbackException>(() => new JobPayload().Add("x", new Extended()));

        Assert.Equal("KB1234: The key '{login.Password}' of 'login' names its secret 'login.Password', and keys are stored and shown in the open. " +
            "Leave it out, or pass what the key needs as a parameter of its own.", inKey.Message);
        Assert.Equal("KB1277: 'login' takes or returns what is [Secret], and there is no key to encrypt it with. " +
            "Set Keelback:Jobs:SecretKeys to 32 random bytes as base64, or call AddDataProtection().", noKey.Message);
        Assert.Equal(noKey.Message, result.Error!.Message);
        Assert.StartsWith("KB1279: ", nameless.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_holds_secrets_needs_a_key_at_the_start()
    {
        var kind = new JobKind("login", typeof(SecretMemberTests), new("login"), static _ => default) { HoldsSecrets = true };
        await using var host = JobHost.Create(Database, [kind]);
        var findings = new Findings();

        await new JobsCheck(host.Services).RunAsync(findings, default);

        Assert.Equal("KB1277", Assert.Single(findings.All).Code);
    }

    [Fact]
    public async Task An_argument_that_only_looks_like_a_secret_is_left_alone()
    {
        const string Json = """{"$secret":{"open":1},"a":{"$secret":"x"},"b":[{"$secret":{"open":2}}]}""";
        var echo = TestJobs.Kind("echo", call => Task.FromResult(call.Get<JsonElement>("json")));
        await using var host = await JobHost.Create(Database, [echo]).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(echo.Call(new { json = JsonElement.Parse(Json) })));

        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Json), run.Result<JsonElement>()));
    }

    [Fact]
    public async Task A_filter_reads_a_member_in_the_open_as_the_job_will()
    {
        var login = TestJobs.Kind("login", _ => Task.CompletedTask);
        var seen = new Seen();
        await using var host = JobHost.Create(Database, [login], o => SetKey(o), services: s => s.AddSingleton<IEnqueueFilter>(seen));

        await host.Jobs.EnqueueAsync(login.Call(new { login = new Login("ada", "hunter2") }));

        Assert.Equal("""{"login":{"user":"ada","password":"hunter2"}}""", seen.Payload);
        await ShouldHideAsync(host, "hunter2");
    }

    private sealed class Seen : IEnqueueFilter
    {
        public string? Payload { get; private set; }

        public void OnEnqueue(JobEnqueue job) => Payload = job.ReadPayload().GetRawText();
    }

    private static async Task ShouldHideAsync(JobHost host, params string[] words)
    {
        var stored = await host.ScalarAsync<string>(
            "select coalesce((select string_agg(r::text, ' ') from keelback.run r), '') || coalesce((select string_agg(p::text, ' ') from keelback.progress p), '') || coalesce((select string_agg(a::text, ' ') from keelback.attempt a), '')");
        foreach (var word in words) Assert.DoesNotContain(word, Readable(stored), StringComparison.Ordinal);
    }

    // A number may be part of an id or of a time, or of what is encrypted by chance.
    private static string Readable(string stored) => System.Text.RegularExpressions.Regex.Replace(stored, "\\d{9,}|[kp]:[A-Za-z0-9+/=_-]+|\\.\\d+|\\\\x[0-9a-f]+", "");

    private static void SetKey(JobsOptions options, bool byKey = true)
    {
        if (byKey) options.SecretKeys.Add(Key);
    }
}
