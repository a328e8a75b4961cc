using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Web;

/// <summary>A JSON body that was read strictly and obeys its rules; an endpoint that takes one never sees anything else.</summary>
/// <remarks>
/// Rules: the type's nullable annotations, required members and constructor parameters, DataAnnotations at any depth,
/// <see cref="System.ComponentModel.DataAnnotations.IValidatableObject"/>; unknown and duplicate members, numbers in strings
/// and U+0000 are errors. What breaks them is answered with all errors at once, up to 100: 400, 413 or 415 as a problem document.
/// A <c>[Range]</c> compares numbers as they are: 10.5 is not within 1 and 10.
/// </remarks>
/// <typeparam name="T">What the body is read into.</typeparam>
public sealed class Valid<T> : IBindableFromHttpContext<Valid<T>>, IEndpointParameterMetadataProvider
{
    private Valid(T value) => Value = value;

    /// <summary>The body.</summary>
    public T Value { get; }

    /// <summary>The body, so that a <see cref="Valid{T}"/> can be passed where the body is wanted.</summary>
    public static implicit operator T(Valid<T> valid)
    {
        ArgumentNullException.ThrowIfNull(valid);
        return valid.Value;
    }

    static async ValueTask<Valid<T>?> IBindableFromHttpContext<Valid<T>>.BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var reader = context.RequestServices.GetService<BodyReader>() ?? throw WebErrors.NotAdded("Valid<T>");
        var body = await reader.ReadAsync(context, context.RequestServices.GetRequiredService<StrictJson>().Contract(typeof(T)));

        if (body.Problem is null) return new((T)body.Value!);

        // Not thrown: a refused body is an everyday event, and the other parameters shall be heard too.
        context.Features.Set(new RefusedBody(body.Problem));
        return null;
    }

    static void IEndpointParameterMetadataProvider.PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder)
    {
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T)));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(400, typeof(void), [ProblemWriter.ContentType]));
    }
}
