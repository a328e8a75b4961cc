using System.Text.Json.Serialization;

namespace Keelback.Jobs.Generator.Tests;

public sealed record Pin([Secret] string Digits);

public sealed record Tree(Tree? Left, Pin? Leaf);

[JsonDerivedType(typeof(Safe), "safe")]
public abstract record Box
{
    public Box? Inside { get; init; }
}

public sealed record Safe : Box
{
    [Secret]
    public int Code { get; init; }
}

/// <summary>Jobs with secrets, here and there.</summary>
public sealed partial class Vault
{
    [Job]
    public Task<int> Password([Secret] string password, CancellationToken ct) => Task.FromResult(password.Length);

    [Job]
    public Task<int> Deep(List<Dictionary<string, Tree>> trees, CancellationToken ct) => Task.FromResult(trees.Count);

    [Job]
    public Task<int> Known(Box[] boxes, CancellationToken ct) => Task.FromResult(boxes.Length);

    [Job]
    public Task<Pin?> Give(CancellationToken ct) => Task.FromResult<Pin?>(null);

    [Job]
    public Task<FileRef> Plain(FileRef file, DateOnly? on, CancellationToken ct) => Task.FromResult(on is null ? file : new($"{file.Path}/{on}"));
}
