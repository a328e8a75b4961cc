using Keelback.Jobs.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;

namespace Keelback.Jobs.Generator.Tests;

public class CodeFixTests
{
    [Theory]
    [InlineData(
        "/// <summary>Ours.</summary>\nclass A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "/// <summary>Ours.</summary>\npartial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }")]
    [InlineData(
        "public sealed class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }",
        "public sealed partial class A { [Job] public Task Go(CancellationToken ct) => Task.CompletedTask; }")]
    public Task A_class_is_made_partial(string before, string after) => FixAsync(new PartialFix(), before, after);

    [Theory]
    [InlineData("[Job] public Task Go() => Task.CompletedTask;", "[Job] public Task Go(CancellationToken ct) => Task.CompletedTask;")]
    [InlineData("[Job] public Task Go(int id) => Task.CompletedTask;", "[Job] public Task Go(int id, CancellationToken ct) => Task.CompletedTask;")]
    [InlineData("[Job] public Task Go(int id = 1) => Task.CompletedTask;", "[Job] public Task Go(int id = 1, CancellationToken ct = default) => Task.CompletedTask;")]
    [InlineData("[Job] public Task Go(CancellationToken stop, int id) => Task.CompletedTask;", "[Job] public Task Go(int id, CancellationToken stop) => Task.CompletedTask;")]
    public Task A_token_is_added_or_moved(string before, string after) =>
        FixAsync(new TokenFix(), $"public sealed partial class A {{ {before} }}", $"public sealed partial class A {{ {after} }}");

    [Theory]
    [InlineData("A.Mix(A.One(), new())", "A.Mix(A.One(), new Opt())")]
    [InlineData("A.Mix(A.One(), default)", "A.Mix(A.One(), default(Opt))")]
    public Task An_empty_argument_gets_its_type(string before, string after) =>
        FixAsync(new EmptyArgFix(), InMethod($"_ = {before};"), InMethod($"_ = {after};"));

    [Theory]
    [InlineData("Microsoft.EntityFrameworkCore.DbContext db", "A.One();", "db.Enqueue(() => A.One());")]
    [InlineData("JobClient jobs", "A.One();", "await jobs.EnqueueAsync(A.One());")]
    [InlineData("int other", "A.One();", null)]
    public Task A_job_that_is_thrown_away_is_enqueued_by_what_is_in_reach(string parameter, string before, string? after) =>
        FixAsync(new EnqueueFix(), InMethod(before, parameter), after is null ? null : InMethod(after, parameter));

    private static string InMethod(string statement, string parameter = "int x") =>
        $$"""
        public sealed record Opt();
        public sealed partial class A
        {
            [Job] public Task<int> One(CancellationToken ct) => Task.FromResult(1);
            [Job] public Task Mix(int a, Opt b, CancellationToken ct) => Task.CompletedTask;
        }
        public static class Caller { public static async Task Call({{parameter}}) { await Task.Yield(); {{statement}} } }
        """;

    /// <summary>Applies the one fix; <paramref name="after"/> null: there must be none.</summary>
    private static async Task FixAsync(CodeFixProvider provider, string before, string? after)
    {
        var compilation = Snippet.Compile(before);
        using var workspace = new AdhocWorkspace();
        var project = workspace.AddProject("Snippets", LanguageNames.CSharp)
            .WithCompilationOptions(compilation.Options).WithParseOptions(Snippet.Options).AddMetadataReferences(compilation.References);
        foreach (var tree in Snippet.Driver().RunGenerators(compilation).GetRunResult().GeneratedTrees.Prepend(compilation.SyntaxTrees[0]))
            project = project.AddDocument(Path.GetFileName(tree.FilePath), tree.ToString(), filePath: tree.FilePath).Project;
        var document = project.AddDocument("Snippet.cs", before, filePath: "Snippet.cs");

        var diagnostic = Assert.Single(await Snippet.AnalyzeAsync(compilation), d => provider.FixableDiagnosticIds.Contains(d.Id));
        var actions = new List<CodeAction>();
        await provider.RegisterCodeFixesAsync(new(document, diagnostic, (action, _) => actions.Add(action), default));
        if (after is null)
        {
            Assert.Empty(actions);
            return;
        }

        var operations = await Assert.Single(actions).GetOperationsAsync(default);
        var changed = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution.GetDocument(document.Id)!;
        var simplified = await Simplifier.ReduceAsync(changed);
        Assert.Equal(after, (await (await Formatter.FormatAsync(simplified, Formatter.Annotation)).GetTextAsync()).ToString());
    }
}
