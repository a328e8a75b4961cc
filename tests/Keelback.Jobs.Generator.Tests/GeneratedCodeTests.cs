using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator.Tests;

public class GeneratedCodeTests
{
    private const string Shop =
        """
        namespace Shop;

        public sealed record Line(int Track, int Quantity);

        public static partial class Sales
        {
            /// <summary>Sends receipts.</summary>
            internal sealed partial class Receipts
            {
                /// <summary>Sends one receipt.</summary>
                /// <param name="invoiceId">The invoice.</param>
                /// <param name="ct">Stops it.</param>
                [Job(Queue = "mail", MaxAttempts = 5, Transactional = true)]
                public Task Send(long invoiceId, string? note = null, CancellationToken ct = default) => Task.CompletedTask;

                [Job("receipts.total")]
                public Task<decimal> Total(long customer, IReadOnlyList<Line> @lines, CancellationToken ct) => Task.FromResult(0m);
            }
        }
        """;

    [Fact]
    public void The_generated_code_is_the_approved_one()
    {
        var driver = Snippet.Driver().RunGenerators(Snippet.Compile(Shop));

        var sources = driver.GetRunResult().Results.Single().GeneratedSources;
        Assert.Equal(["Shop.Sales.Receipts.Jobs.g.cs", "JobRegistry.g.cs"], sources.Select(s => s.HintName));
        foreach (var source in sources) Golden.Check(source.HintName + ".txt", source.SourceText.ToString());
    }

    [Theory]
    [InlineData("an interface, a base class with the same job, and an obsolete job",
        """
        public partial class Base { [Job] public virtual Task Send(int id, CancellationToken ct) => Task.CompletedTask; }
        public sealed partial class Derived : Base { [Job] public override Task Send(int id, CancellationToken ct) => Task.CompletedTask; }
        public sealed partial class Old { [Job, Obsolete] public Task Send(int id, CancellationToken ct) => Task.CompletedTask; }
        """)]
    [InlineData("keywords as names",
        """
        namespace @class.Jobs { public sealed partial class @event { [Job] public Task @do(int @int, CancellationToken ct) => Task.CompletedTask; } }
        """)]
    [InlineData("types named like ours",
        """
        namespace Hr; public sealed record Job(int Id); public sealed record Arg(int Id);
        public sealed partial class Post { [Keelback.Jobs.Job] public Task<Job> Open(Job job, Arg arg, CancellationToken ct) => Task.FromResult(job); }
        """)]
    [InlineData("every kind of default",
        """
        public enum Level { Low = -1, High = 1 }
        public sealed partial class Defaults
        {
            [Job] public Task Of(string a = "q\"\n", string b = null!, char c = '\'', double d = double.NaN, float e = 1.5f, decimal f = 2.50m,
                Level g = Level.Low, Level? h = Level.High, DateOnly i = default, int? j = null, int? k = -3, long l = long.MinValue,
                ulong m = ulong.MaxValue, bool n = true, int[]? o = null, List<string>? p = null, CancellationToken ct = default) => Task.CompletedTask;
        }
        """)]
    [InlineData("attributes that go with the kind",
        """
        public sealed class NoteAttribute(string text, Type type, params int[] numbers) : JobMetadataAttribute
        {
            public string Text => text + type + numbers.Length;
            public DayOfWeek[] Days { get; set; } = [];
            public string? None { get; set; }
        }
        [Expected<TimeoutException>]
        public sealed partial class Calls
        {
            [Job(Backoff = RetryBackoff.Linear, Jitter = false), Retry<IOException>(MaxAttempts = 10, Delay = "00:00:01", Backoff = RetryBackoff.Constant)]
            [NoRetry<ArgumentException>, Note("a\"b", typeof(List<string>), 1, 2, Days = new[] { DayOfWeek.Friday }, None = null)]
            public Task Go(CancellationToken ct) => Task.CompletedTask;
        }
        """)]
    [InlineData("records, and classes in other types",
        """
        public partial struct Outer { public partial record Inner { [Job] internal Task Go(CancellationToken ct) => Task.CompletedTask; } }
        """)]
    [InlineData("two overloads with kinds of their own",
        """
        public sealed partial class Mail
        {
            [Job("mail.one")] public Task Send(long id, CancellationToken ct) => Task.CompletedTask;
            [Job("mail.all")] public Task Send(long[] ids, CancellationToken ct) => Task.CompletedTask;
        }
        """)]
    [InlineData("members with the names that the generator once gave",
        """
        public sealed partial class Mail
        {
            public int JobKinds { get; init; }
            [Job("a")] public Task Send(CancellationToken ct) => Task.CompletedTask;
            [Job("b")] public Task Send(int id, CancellationToken ct) => Task.CompletedTask;
            [Job] public Task Send2(CancellationToken ct) => Task.CompletedTask;
            [Job] public Task Send_1(CancellationToken ct) => Task.CompletedTask;
        }
        public sealed partial class Kinds { [Job] public Task JobKinds(CancellationToken ct) => Task.CompletedTask; }
        """)]
    [InlineData("no nullable context",
        """
        #nullable disable
        public sealed partial class Plain { [Job] public Task<string> Send(string text, CancellationToken ct) => Task.FromResult(text); }
        """)]
    [InlineData("members whose names differ from the property names of JSON",
        """
        public sealed partial class Http { [Job] public Task Get(Uri URLPath, CancellationToken ct) => Task.CompletedTask; }
        """)]
    public async Task Generated_code_compiles_without_a_warning(string what, string code)
    {
        var said = await Snippet.DiagnosticsAsync(code);

        Assert.True(said.Count == 0, $"{what}: {string.Join('\n', said)}");
    }

    [Fact]
    public void An_edit_elsewhere_recomputes_nothing_and_an_edit_of_one_class_writes_only_that()
    {
        var before = Snippet.Compile(Shop + "public sealed partial class Other { [Job] public Task Go(int id, CancellationToken ct) => Task.CompletedTask; }");
        var driver = Snippet.Driver().RunGenerators(before);

        var elsewhere = driver.RunGenerators(before.AddSyntaxTrees(Parse("public class Unrelated;"))).GetRunResult().Results[0];
        var other = before.SyntaxTrees.Last();
        var renamed = driver.RunGenerators(before.ReplaceSyntaxTree(other, Parse(other.ToString().Replace("int id", "int number")))).GetRunResult().Results[0];

        Assert.All(Outputs(elsewhere), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
        Assert.Equal(
            [IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Modified],
            renamed.TrackedSteps[JobGenerator.ClassStep].SelectMany(step => step.Outputs).Select(output => output.Reason));
        Assert.All(renamed.TrackedSteps[JobGenerator.RegistryStep].SelectMany(step => step.Outputs),
            output => Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));
    }

    private static IEnumerable<IncrementalStepRunReason> Outputs(GeneratorRunResult result) =>
        result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs).Select(output => output.Reason);

    private static SyntaxTree Parse(string code) => Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree.ParseText(code, Snippet.Options, "Edited.cs");
}
