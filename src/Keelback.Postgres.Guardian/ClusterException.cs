namespace Keelback.Postgres.Guardian;

/// <summary>A private cluster that cannot be had. Keelback.Postgres raises it again as a <c>KeelbackException</c> of the same code.</summary>
internal sealed class ClusterException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;
}
