using System.Text.Json.Nodes;

namespace Keelback.Jobs;

/// <summary>Turns a payload of one version into one of the next.</summary>
public interface IPayloadUpgrade
{
    /// <summary>Gets the arguments by their names in JSON; may change and return the same object.</summary>
    static abstract JsonObject Upgrade(JsonObject payload);
}

/// <summary>How rows of an older version are read: <c>[Job(Version = 3), Upgrade&lt;FromV1&gt;(1), Upgrade&lt;FromV2&gt;(2)]</c>. A row of version 1 goes through both.</summary>
public sealed class UpgradeAttribute<T>(int from) : UpgradeAttribute(from)
    where T : IPayloadUpgrade
{
    internal override JsonObject Apply(JsonObject payload) => T.Upgrade(payload);
}

/// <inheritdoc cref="UpgradeAttribute{T}"/>
public abstract class UpgradeAttribute : JobMetadataAttribute
{
    private protected UpgradeAttribute(int from) => From = from;

    /// <summary>The version that it reads; it writes the next.</summary>
    public int From { get; }

    internal abstract JsonObject Apply(JsonObject payload);
}
