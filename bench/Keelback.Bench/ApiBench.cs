using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace Keelback.Bench;

/// <summary>A list and a create of one resource, beside a minimal API with hand-written SQL that answers the same.</summary>
internal static class ApiBench
{
    private static readonly Bar s_bar = Bar.AtLeast(0.5);

    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        string[] names = [.. options.Names.Intersect(["list", "create"])];
        if (names.Length == 0) return [];

        await Catalogue.SeedAsync(database.ConnectionString);
        // Both prepare what they send again and again; Npgsql does it for whoever asks for it in the connection string.
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString;
        await using var keelback = Child.Start(Cores.Measured, "api", "keelback", connection);
        var keelbackPort = await keelback.ReadAsync();
        await using var floor = Child.Start(Cores.Measured, "api", "floor", connection);
        var floorPort = await floor.ReadAsync();
        await using var load = Child.Start(Cores.Others, "load");

        await SameAnswersAsync(keelbackPort, floorPort);

        var results = new List<Comparison>();
        foreach (var name in names)
        {
            var what = name == "list" ? "list: a page of 20 joined rows, filtered, ordered, with the count" : "create: one row, validated";
            results.Add(await Comparison.RunAsync(name, what, s_bar, options,
                () => RoundAsync(keelback, keelbackPort, name), () => RoundAsync(floor, floorPort, name)));
        }

        return results;

        async Task<Round> RoundAsync(Child side, string port, string name)
        {
            await load.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{port} {name} {options.WarmUp.TotalSeconds}"));
            var before = side.Cpu;
            var answer = (await load.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{port} {name} {options.Load.TotalSeconds}"))).Split(' ');
            if (answer[1] != "0") throw new InvalidOperationException($"{answer[1]} of the {name} requests were not answered with success.");

            return new(int.Parse(answer[0], null), options.Load, side.Cpu - before, $"(p50 {answer[2]} µs, p99 {answer[3]} µs)");
        }
    }

    /// <summary>A floor that does less than what stands on it is no floor.</summary>
    private static async Task SameAnswersAsync(string keelbackPort, string floorPort)
    {
        using var http = new HttpClient();
        for (var variant = 0; variant < Requests.Lists.Count; variant += 7)
        {
            var (ours, theirs) = (await ListAsync(keelbackPort, variant), await ListAsync(floorPort, variant));
            if (!JsonNode.DeepEquals(ours["count"], theirs["count"]) || !JsonNode.DeepEquals(ours["results"], theirs["results"]))
                throw new InvalidOperationException($"The answers to {Requests.Lists[variant]} differ:\n{ours}\n{theirs}");
        }

        foreach (var port in (string[])[keelbackPort, floorPort])
        {
            using var made = await http.PostAsync($"http://127.0.0.1:{port}/api/tracks", JsonContent.Create(JsonNode.Parse(Requests.NewTrack)));
            var body = await made.Content.ReadAsStringAsync();
            if ((int)made.StatusCode != 201 || made.Headers.Location is null || JsonNode.Parse(body)!["album"] is null)
                throw new InvalidOperationException($"A create on port {port} answered {(int)made.StatusCode}: {body}");

            using var refused = await http.PostAsJsonAsync($"http://127.0.0.1:{port}/api/tracks", new { name = "" });
            if ((int)refused.StatusCode != 400) throw new InvalidOperationException($"An empty create on port {port} answered {(int)refused.StatusCode}.");
        }

        async Task<JsonNode> ListAsync(string port, int variant) =>
            JsonNode.Parse(await http.GetStringAsync($"http://127.0.0.1:{port}{Requests.Lists[variant]}"))!;
    }
}
