using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Keelback.Resources;

/// <summary>What <c>MapResource</c> takes; derive from <see cref="Resource{T, TDto}"/>.</summary>
public abstract class Resource
{
    private protected Resource()
    {
    }

    internal abstract void Map(RouteGroupBuilder group, Func<string, string> naming);
}

/// <summary>A REST interface over a model: what can be read, filtered and written, in one class.</summary>
/// <remarks>
/// Mapped with <c>app.MapResource&lt;TrackResource&gt;("/api/tracks")</c>. Constructor parameters come from the request's services.
/// The rows come from the <see cref="Microsoft.EntityFrameworkCore.DbContext"/> of the request's services.
/// </remarks>
/// <typeparam name="T">The entity: a type of the model whose primary key is one property.</typeparam>
/// <typeparam name="TDto">What a caller sees of it.</typeparam>
public abstract class Resource<T, TDto> : Resource
    where T : class
    where TDto : class
{
    /// <summary>Says what the resource offers. Called once, when it is mapped.</summary>
    protected abstract void Configure(ResourceBuilder<T, TDto> r);

    /// <summary>Called for each row about to be created, changed or deleted, in the transaction that saves it, before it is saved.</summary>
    /// <remarks>The instance is made for this call: fields hold nothing that <see cref="Configure"/> left there. May change the entity and others of <see cref="Saving{T}.Db"/>, enqueue jobs, and refuse by <see cref="Saving{T}.Refuse"/>.</remarks>
    protected virtual ValueTask SavingAsync(Saving<T> saving, CancellationToken ct) => ValueTask.CompletedTask;

    internal override void Map(RouteGroupBuilder group, Func<string, string> naming)
    {
        var builder = new ResourceBuilder<T, TDto>(GetType().Name, naming);
        Configure(builder);
        var definition = builder.Build();

        var handler = new ResourceHandler<T, TDto>(definition);
        var read = new ReadEndpoints<T, TDto>(handler);
        Map(ResourceVerb.List, "", [HttpMethods.Get, HttpMethods.Head], read.ListAsync);
        Map(ResourceVerb.Retrieve, "/{id}", [HttpMethods.Get, HttpMethods.Head], read.RetrieveAsync);

        var write = new WriteEndpoints<T, TDto>(handler, SavingHook<T>.Of(this));
        if (definition.Create is not null) Map(ResourceVerb.Create, "", [HttpMethods.Post], write.CreateAsync);
        if (definition.Update is not null) Map(ResourceVerb.Update, "/{id}", [HttpMethods.Patch], write.UpdateAsync);
        if (definition.Delete) Map(ResourceVerb.Delete, "/{id}", [HttpMethods.Delete], write.DeleteAsync);

        void Map(ResourceVerb verb, string path, string[] methods, RequestDelegate answer) => group
            .MapMethods(path, methods, answer)
            .WithMetadata(new ResourceEndpoint(verb, definition, handler), new PolicyNeeded(definition.Name))
            .ExcludeFromDescription() // the resource document describes it, and knows more
            .WithDisplayName($"{definition.Name} {verb}");
    }

    internal ValueTask CallSavingAsync(Saving<T> saving, CancellationToken ct) => SavingAsync(saving, ct);
}
