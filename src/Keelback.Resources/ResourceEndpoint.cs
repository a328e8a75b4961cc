namespace Keelback.Resources;

/// <summary>Marks a route endpoint as a resource's; what checks and documents find it by.</summary>
internal sealed record ResourceEndpoint(ResourceVerb Verb, IResourceDefinition Resource);

/// <summary>What a resource's endpoint does.</summary>
internal enum ResourceVerb
{
    List,
    Retrieve,
    Create,
    Update,
    Delete,
}
