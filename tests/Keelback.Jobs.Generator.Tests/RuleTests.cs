namespace Keelback.Jobs.Generator.Tests;

/// <summary>What the analyzer says of a method with [Job], whole.</summary>
public class RuleTests
{
    [Theory]
    [InlineData("public sealed class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "'A' declares the job 'Go' and must be partial, so that the call 'A.Go(…)' can be added to it [KBJ001]")]
    [InlineData("public class Out { public sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; } }",
        "'Out' declares the job 'Go' and must be partial, so that the call 'Out.Go(…)' can be added to it [KBJ001]")]
    [InlineData("public sealed partial class A { [Job] public Task Go(int id) => Task.CompletedTask; }",
        "The job 'A.Go' must take a CancellationToken as its last parameter: timeouts, cancellation and shutdown reach it that way [KBJ002]")]
    [InlineData("public sealed partial class A { [Job] public void Go(CancellationToken ct) { } }",
        "The job 'A.Go' returns 'void'; a job returns Task, or Task<T> when other jobs may use its result [KBJ003]")]
    [InlineData("public sealed partial class A { [Job] public ValueTask<int> Go(CancellationToken ct) => default; }",
        "The job 'A.Go' returns 'System.Threading.Tasks.ValueTask<int>'; a job returns Task, or Task<T> when other jobs may use its result [KBJ003]")]
    [InlineData("public sealed partial class A { [Job] public Task Go<T>(CancellationToken ct) => Task.CompletedTask; }",
        "The job 'A.Go' is generic, or declared in a generic type; a stored call could not name its type arguments [KBJ005]")]
    [InlineData("public sealed partial class A<T> { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "The job 'A.Go' is generic, or declared in a generic type; a stored call could not name its type arguments [KBJ005]")]
    [InlineData("public partial struct A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "The job 'A.Go' cannot be called by a worker: 'A' is not a class [KBJ006]")]
    [InlineData("public abstract partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "The job 'A.Go' cannot be called by a worker: 'A' is abstract, so no object of it can be made [KBJ006]")]
    [InlineData("public sealed partial class A { private A() { } [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "The job 'A.Go' cannot be called by a worker: 'A' has no public constructor [KBJ006]")]
    [InlineData("public partial class O { private sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; } }",
        "The job 'O.A.Go' cannot be called by a worker: 'O.A' is not visible in its assembly; make it internal or public [KBJ006]")]
    [InlineData("""
        namespace X { public sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; } }
        namespace Y { public sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; } }
        """,
        "The kind 'A.Go' is declared twice, by 'X.A.Go(System.Threading.CancellationToken)' and by 'Y.A.Go(System.Threading.CancellationToken)'; " +
        "give one of them a kind of its own: [Job(\"A.Go2\")] [KBJ007]")]
    [InlineData("public sealed partial class A { [Job] public Task Go(int id, CancellationToken ct) => Task.CompletedTask; public void Go(int other) { } }",
        "'A' already has a method 'Go' with the parameters of the job without its token; rename one of them [KBJ008]")]
    [InlineData("public sealed partial class A { [Job, Schedule(\"0 2 * * *\")] public Task Go(int id, string? text = null, CancellationToken ct = default) => Task.CompletedTask; }",
        "The job 'A.Go' has a [Schedule], whose ticks give it no arguments: give 'id' a default, or use AddSchedule, whose call has arguments [KBJ012]")]
    public async Task A_method_that_cannot_be_a_job_is_reported(string code, string expected) =>
        Assert.Equal([expected], await Snippet.DiagnosticsAsync(code));

    [Theory]
    [InlineData("Stream", "it holds resources of this process; pass a key to find it again, and get services by the constructor")]
    [InlineData("Microsoft.EntityFrameworkCore.DbContext", "it holds resources of this process; pass a key to find it again, and get services by the constructor")]
    [InlineData("Action", "a delegate is code, not data")]
    [InlineData("List<Func<int>>", "a delegate is code, not data")]
    [InlineData("IQueryable<int>", "a query is not data; pass keys, or the rows")]
    [InlineData("IAsyncEnumerable<int>", "it would have to be read to its end first; pass a list")]
    [InlineData("(int, string)", "the fields of a tuple are not written; use a record")]
    [InlineData("object", "an object is read back as a JsonElement; use JsonElement, or a type of your own")]
    [InlineData("int[,]", "System.Text.Json has no arrays of several dimensions; use an array of arrays")]
    [InlineData("Span<int>", "a ref struct cannot be stored")]
    [InlineData("nint", "a native integer differs between machines; use long")]
    [InlineData("CancellationToken", "the token is the last parameter, and there is one")]
    [InlineData("Task<int>", "a task belongs to this process; await it first")]
    [InlineData("Exception", "exceptions cannot be read back; pass what you need of it")]
    [InlineData("Type", "it is code, not data")]
    [InlineData("IFormatProvider", "nothing says which class to make of an interface; use a class or a record, and get services by the constructor")]
    [InlineData("Shape", "nothing says which class to make of an abstract one; add [JsonDerivedType]")]
    [InlineData("Several", "it has several public constructors; mark one with [JsonConstructor]")]
    [InlineData("Hidden", "it has no public constructor; mark one with [JsonConstructor]")]
    public async Task A_type_that_json_does_not_bring_back_is_reported(string type, string why)
    {
        const string Types =
            """
            public abstract class Shape;
            public sealed class Several { public Several(int a) { } public Several(string b) { } }
            public sealed class Hidden { private Hidden() { } }
            """;

        var said = await Snippet.DiagnosticsAsync(
            $$"""public sealed partial class A { [Job] public Task Go({{type}} x, CancellationToken ct) => Task.CompletedTask; } {{Types}}""");

        var only = Assert.Single(said);
        Assert.StartsWith("Parameter 'x' of the job 'A.Go' is '", only);
        Assert.EndsWith($"', which cannot be stored as JSON and read back: {why} [KBJ004]", only);
    }

    [Theory]
    [InlineData("record P((int, int) Pos);", "its property 'Pos' is '(int, int)': the fields of a tuple are not written; use a record")]
    [InlineData("record P(Q[] All); record struct Q(Action Then);", "its property 'All' is 'Q[]': its property 'Then' is 'System.Action': a delegate is code, not data")]
    [InlineData("class P { public List<R> Rs { get; set; } = []; } class R { public object? Any { get; init; } }",
        "its property 'Rs' is 'System.Collections.Generic.List<R>': its property 'Any' is 'object?': an object is read back as a JsonElement; use JsonElement, or a type of your own")]
    [InlineData("class P : B; class B { public int[,]? Grid { get; set; } }",
        "its property 'Grid' is 'int[*,*]?': System.Text.Json has no arrays of several dimensions; use an array of arrays")]
    [InlineData("record P(P? Next, (int, int) Pos);", "its property 'Pos' is '(int, int)': the fields of a tuple are not written; use a record")]
    [InlineData("class P { public int X; }", "its field 'X' is not read back; make it a property, or mark it [JsonInclude] or [JsonIgnore]")]
    [InlineData("class P { public List<int> Tags { get; } = []; }", "its property 'Tags' is not read back; give it an init, or mark it [JsonIgnore]")]
    [InlineData("class P { public int Id { get; private set; } }", "its property 'Id' is not read back; give it an init, or mark it [JsonIgnore]")]
    [InlineData("struct P { public P(int x) => X = x; public int X { get; } }", "its property 'X' is not read back; give it an init, or mark it [JsonIgnore]")]
    public async Task A_type_is_looked_into_as_deep_as_it_goes(string types, string why)
    {
        var said = await Snippet.DiagnosticsAsync(
            "public sealed partial class A { [Job] public Task Go(P x, CancellationToken ct) => Task.CompletedTask; } public "
            + types.Replace("; record", "; public record").Replace("; class", "; public class").Replace("} class", "} public class"));

        Assert.Equal([$"Parameter 'x' of the job 'A.Go' is 'P', which cannot be stored as JSON and read back: {why} [KBJ004]"], said);
    }

    [Theory]
    [InlineData("public record P(int X, P? Next, List<P> All);")]
    [InlineData("public class P { public int Width { get; set; } public (int, int) Both => (Width, Width); }")]
    [InlineData("public class P(int x) { public int X { get; } = x; }")]
    [InlineData("public class P { [System.Text.Json.Serialization.JsonIgnore] public Action? Then { get; set; } }")]
    [InlineData("public class P { [System.Text.Json.Serialization.JsonInclude] public int Id { get; private set; } }")]
    [InlineData("public class P { public static readonly Action Nothing = () => { }; public const int Most = 3; private (int, int) _pos = (1, 2); public int X { get => _pos.Item1; set => _pos = (value, 0); } }")]
    [InlineData("public readonly record struct P(int X);")]
    public async Task A_type_of_which_nothing_is_lost_is_not(string types) =>
        Assert.Empty(await Snippet.DiagnosticsAsync(
            "public sealed partial class A { [Job] public Task Go(P x, CancellationToken ct) => Task.CompletedTask; } " + types));

    [Fact]
    public async Task A_result_and_a_reference_are_checked_too()
    {
        var said = await Snippet.DiagnosticsAsync(
            "public sealed partial class A { [Job] public Task<Stream> Go(ref int x, CancellationToken ct) => throw new NotSupportedException(); }");

        Assert.Equal(
            [
                "The result of the job 'A.Go' is 'System.IO.Stream', which cannot be stored as JSON and read back: " +
                "it holds resources of this process; pass a key to find it again, and get services by the constructor [KBJ004]",
                "Parameter 'x' of the job 'A.Go' is 'int', which cannot be stored as JSON and read back: it is passed by reference [KBJ004]",
            ],
            said);
    }

    [Theory]
    [InlineData("string?")]
    [InlineData("int?")]
    [InlineData("DayOfWeek")]
    [InlineData("byte[]")]
    [InlineData("System.Text.Json.JsonElement")]
    [InlineData("System.Text.Json.Nodes.JsonNode")]
    [InlineData("IReadOnlySet<string>")]
    [InlineData("IDictionary<string, List<DateTimeOffset>>")]
    [InlineData("Version")]
    [InlineData("Marked")]
    [InlineData("IAnimal")]
    [InlineData("KeyValuePair<string, int>[]")]
    public async Task A_type_that_json_brings_back_is_not(string type)
    {
        const string Types =
            """
            [System.Text.Json.Serialization.JsonDerivedType(typeof(Dog), "dog")] public interface IAnimal; public sealed class Dog : IAnimal;
            public sealed class Marked { public Marked(int a) { } [System.Text.Json.Serialization.JsonConstructor] public Marked(string b) { } }
            """;

        Assert.Empty(await Snippet.DiagnosticsAsync(
            $$"""public sealed partial class A { [Job] public Task<{{type}}> Go({{type}} x, CancellationToken ct) => Task.FromResult(x); } {{Types}}"""));
    }

    [Theory]
    [InlineData("MaxAttempts = 0", "MaxAttempts of the job 'A.Go' is 0; it must be 1 to 1,000 [KBJ009]")]
    [InlineData("MaxAttempts = 1001", "MaxAttempts of the job 'A.Go' is 1001; it must be 1 to 1,000 [KBJ009]")]
    [InlineData("Priority = 10", "Priority of the job 'A.Go' is 10; it must be 0 (first) to 9 (last) [KBJ009]")]
    [InlineData("Queue = \" \"", "Queue of the job 'A.Go' is empty; it must be the name of a queue [KBJ009]")]
    [InlineData("Timeout = \"30\"", "Timeout of the job 'A.Go' is '30'; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    [InlineData("Timeout = \"00:00:00\"", "Timeout of the job 'A.Go' is '00:00:00'; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    [InlineData("Timeout = \"00:99:00\"", "Timeout of the job 'A.Go' is '00:99:00'; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    [InlineData("\"keelback.x\"", "The kind of the job 'A.Go' is 'keelback.x'; it must be a name that does not begin with 'keelback.' [KBJ009]")]
    [InlineData("RetryDelay = \"00:00:05\", MaxRetryDelay = \"01:00:00\"", null)]
    [InlineData("MaxAttempts = 1000, Priority = 9, Timeout = \"1.00:30:00\"", null)]
    [InlineData("Transactional = true, Context = typeof(Shop)", null)]
    [InlineData("Context = typeof(Shop)", "Context of the job 'A.Go' is Shop; it must be of a job with Transactional = true [KBJ009]")]
    [InlineData("Transactional = true, Context = typeof(A)", "Context of the job 'A.Go' is A; it must be a DbContext of the app [KBJ009]")]
    [InlineData("Transactional = true, Context = typeof(Microsoft.EntityFrameworkCore.DbContext)", "Context of the job 'A.Go' is DbContext; it must be a DbContext of the app [KBJ009]")]
    [InlineData("MaxRetryDelay = \"9\"", "MaxRetryDelay of the job 'A.Go' is '9'; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    public async Task An_option_out_of_range_is_reported(string options, string? expected)
    {
        var said = await Snippet.DiagnosticsAsync(
            $$"""
            public sealed partial class A { [Job({{options}})] public Task Go(CancellationToken ct) => Task.CompletedTask; }
            public sealed class Shop : Microsoft.EntityFrameworkCore.DbContext;
            """);

        Assert.Equal(expected is null ? [] : [expected], said);
    }

    [Theory]
    [InlineData("Limit(\"shop:{shop}\", Slots = 1)", null)]
    [InlineData("Limit(\"shop:{call.Method}\", PerSecond = 5), Limit(\"all\")", null)]
    [InlineData("Unique(\"{shop}\", Window = \"01:00:00\", OnConflict = UniqueConflict.Reject)", null)]
    [InlineData("Limit(\"shop:{nosuch}\", Slots = 1)", "The key 'shop:{nosuch}' of the job 'A.Go' cannot be used: the method has no parameter 'nosuch'; it has shop, call [KBJ013]")]
    [InlineData("Unique(\"{call.Nosuch}\")", "The key '{call.Nosuch}' of the job 'A.Go' cannot be used: 'Call' has no property 'Nosuch' [KBJ013]")]
    [InlineData("Unique(\"{shop\")", "The key '{shop' of the job 'A.Go' cannot be used: a '{' or '}' has no partner [KBJ013]")]
    [InlineData("Unique(\" \")", "The key ' ' of the job 'A.Go' cannot be used: it is empty [KBJ013]")]
    [InlineData("Limit(\"#queue:x\")", "The key '#queue:x' of the job 'A.Go' cannot be used: a key that begins with '#' is the engine's [KBJ013]")]
    [InlineData("Limit(\"all\", Slots = 0)", "Slots of the job 'A.Go' is 0; it must be 1 or more [KBJ009]")]
    [InlineData("Limit(\"all\", PerDay = -1)", "PerDay of the job 'A.Go' is -1; it must be 1 or more [KBJ009]")]
    [InlineData("Unique(\"all\", Window = \"soon\")", "Window of the job 'A.Go' is soon; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    public async Task A_key_that_the_arguments_cannot_make_is_reported(string attributes, string? expected)
    {
        var said = await Snippet.DiagnosticsAsync(
            $$"""
            public sealed record Call(string Method);
            public sealed partial class A { [Job, {{attributes}}] public Task Go(int shop, Call call, CancellationToken ct) => Task.CompletedTask; }
            """);

        Assert.Equal(expected is null ? [] : [expected], said);
    }

    [Theory]
    [InlineData("Job, Unique(\"{password}\")", "{password}")]
    [InlineData("Job, Limit(\"login:{user}:{password.Length}\", Slots = 1)", "login:{user}:{password.Length}")]
    [InlineData("Job(Tenant = \"{password}\")", "{password}")]
    [InlineData("Job, Unique(\"{user}\")", null)]
    public async Task A_secret_in_a_key_is_reported(string attributes, string? key)
    {
        var said = await Snippet.DiagnosticsAsync(
            $$"""public sealed partial class A { [{{attributes}}] public Task Go(string user, [Secret] string password, CancellationToken ct) => Task.CompletedTask; }""");

        Assert.Equal(key is null ? [] : [$"The key '{key}' of the job 'A.Go' names its secret 'password', and keys are stored and shown in the open; use another parameter [KBJ014]"], said);
    }

    [Theory]
    [InlineData("record Card(string Holder, [Secret] string Number);", "{card.Number}", "Number")]
    [InlineData("class Card { [Secret] public string Number { get; set; } = \"\"; }", "pay:{card.Number.Length}", "Number")]
    [InlineData("record Card(string Holder, [property: Secret] string Number);", "{card.Holder}", null)]
    public async Task A_secret_member_in_a_key_is_reported(string card, string key, string? secret)
    {
        var said = await Snippet.DiagnosticsAsync(
            $$"""public sealed {{card}} public sealed partial class A { [Job, Unique("{{key}}")] public Task Go(Card card, CancellationToken ct) => Task.CompletedTask; }""");

        Assert.Equal(secret is null ? [] : [$"The key '{key}' of the job 'A.Go' names its secret '{secret}', and keys are stored and shown in the open; use another parameter [KBJ014]"], said);
    }

    [Theory]
    [InlineData("public class A { [Schedule(\"0 2 * * *\")] public Task Go(CancellationToken ct) => Task.CompletedTask; }", "Schedule", "'A.Go' has no [Job]")]
    [InlineData("public class A { [Limit(\"mail\", Slots = 1)] public static void Go() { } }", "Limit", "'A.Go' has no [Job]")]
    [InlineData("public class A { [Unique(\"all\")] public static void Go() { } }", "Unique", "'A.Go' has no [Job]")]
    [InlineData("public class A { [Retry<IOException>(MaxAttempts = 5000)] public static void Go() { } }", "Retry", "'A.Go' has no [Job]")]
    [InlineData("public class A { [NoRetry<IOException>] public static void Go() { } }", "NoRetry", "'A.Go' has no [Job]")]
    [InlineData("public class A { [Expected<IOException>] public static void Go() { } }", "Expected", "'A.Go' has no [Job]")]
    [InlineData("public class A { public static void Go([Secret] string password) { } }", "Secret", "'A.Go' has no [Job]")]
    [InlineData("public class A { public static void Go() { _ = new Action<string>(([Secret] x) => { }); } }", "Secret", "only a method of a class can be a job")]
    [InlineData("public class A { public static void Go() { Nightly(); [Schedule(\"0 2 * * *\")] static void Nightly() { } } }", "Schedule", "only a method of a class can be a job")]
    [InlineData("public class A { public static void Go() { Nightly(); [Job] static void Nightly() { } } }", "Job", "only a method of a class can be a job")]
    [InlineData("[Limit(\"mail\", Slots = 1)] public class A { public static void Go() { } }", "Limit", "no method of 'A' has a [Job]")]
    public async Task An_attribute_that_nothing_reads_is_reported(string code, string attribute, string why) =>
        Assert.Equal([$"[{attribute}] has no effect here: {why} [KBJ015]"], await Snippet.DiagnosticsAsync(code));

    [Theory]
    [InlineData("[Limit(\"mail\", Slots = 1)] public sealed partial class A { } public sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }")]
    [InlineData("public sealed partial class A { [Job, Schedule(\"0 2 * * *\"), Retry<IOException>] public Task Go(CancellationToken ct) => Task.CompletedTask; }")]
    [InlineData("public sealed partial class A { [Job] public Task Go([Secret] string password, CancellationToken ct) => Task.CompletedTask; }")]
    [InlineData("public sealed record Card([Secret] string Number, [property: Secret] string Code);")]
    [InlineData("public struct Card { [Secret] public string Number { get; set; } [Secret] public string Code; }")]
    [InlineData("public class Card { public Card([Secret] string number) => Number = number; public string Number { get; } }")]
    public async Task An_attribute_that_is_read_is_not(string code) => Assert.Empty(await Snippet.DiagnosticsAsync(code));

    [Theory]
    [InlineData("MaxAttempts = 1001", "MaxAttempts after IOException of the job 'A.Go' is '1001'; it must be 1 to 1,000 [KBJ009]")]
    [InlineData("Delay = \"soon\"", "Delay after IOException of the job 'A.Go' is 'soon'; it must be a duration over zero, as hh:mm:ss [KBJ009]")]
    [InlineData("MaxAttempts = 10, Delay = \"00:00:01\"", null)]
    public async Task A_retry_rule_out_of_range_is_reported(string options, string? expected)
    {
        var said = await Snippet.DiagnosticsAsync(
            $$"""public sealed partial class A { [Job, Retry<IOException>({{options}})] public Task Go(CancellationToken ct) => Task.CompletedTask; }""");

        Assert.Equal(expected is null ? [] : [expected], said);
    }
}
