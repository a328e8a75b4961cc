using Keelback.Web;

namespace Keelback.Resources;

/// <summary>Marks a route endpoint as a resource's; what checks and documents find it by.</summary>
internal sealed record ResourceEndpoint(ResourceVerb Verb, IResourceDefinition Resource, IResourceSource Source);

/// <summary>Where documents and checks learn what the model says of a resource.</summary>
internal interface IResourceSource
{
    /// <param name="scope">A scope's services.</param>
    ResourceInputs Inputs(IServiceProvider scope);

    /// <summary>All that the model says no to.</summary>
    /// <param name="scope">A scope's services.</param>
    IReadOnlyList<KeelbackException> Mistakes(IServiceProvider scope);
}

/// <param name="Key">The type of a row's key.</param>
/// <param name="Create">How the body of POST must look; null without POST.</param>
/// <param name="Update">How the body of PATCH must look; null without PATCH.</param>
internal sealed record ResourceInputs(Type Key, JsonContract? Create, JsonContract? Update);

/// <summary>What a resource's endpoint does.</summary>
internal enum ResourceVerb
{
    List,
    Retrieve,
    Create,
    Update,
    Delete,
}
