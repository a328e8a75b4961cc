using Keelback.Web;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Keelback.Resources;

/// <summary>The schemas of what resources read and write; each type's is made once and referred to by name.</summary>
internal sealed class ResourceSchemas(OpenApiDocument document, OpenApiDocumentTransformerContext context)
{
    private const string Problem = "Problem";

    public async Task<IOpenApiSchema> OfAsync(Type type, CancellationToken ct)
    {
        if (!IsNew(type.Name)) return Reference(type.Name);

        return Add(type.Name, await context.GetOrCreateSchemaAsync(type, null, ct));
    }

    /// <summary>A body's, from the contract that reads it.</summary>
    public IOpenApiSchema Of(JsonContract input, bool isPatch)
    {
        var name = isPatch ? input.Type.Name + "Patch" : input.Type.Name;
        return IsNew(name) ? Add(name, InputSchema.Of(input)) : Reference(name);
    }

    public static OpenApiSchema Page(IOpenApiSchema row) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { "count", "next", "previous", "results" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["count"] = ScalarSchema.Whole(0, null, null),
            ["next"] = Link(),
            ["previous"] = Link(),
            ["results"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = row },
        },
    };

    public async Task<IOpenApiSchema> ProblemAsync(CancellationToken ct)
    {
        if (!IsNew(Problem)) return Reference(Problem);

        var errors = new OpenApiSchema { Type = JsonSchemaType.Array, Items = await OfAsync(typeof(FieldError), ct) };
        return Add(Problem, new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "type", "title", "status", "traceId" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = ScalarSchema.Of(typeof(string)),
                ["title"] = ScalarSchema.Of(typeof(string)),
                ["status"] = ScalarSchema.Whole(400, 599, null),
                ["detail"] = ScalarSchema.Of(typeof(string)),
                ["traceId"] = ScalarSchema.Of(typeof(string)),
                ["errors"] = errors,
            },
        });
    }

    private static OpenApiSchema Link() => new() { Type = JsonSchemaType.String | JsonSchemaType.Null, Format = "uri" };

    private bool IsNew(string name) => document.Components?.Schemas?.ContainsKey(name) != true;

    private OpenApiSchemaReference Add(string name, OpenApiSchema schema)
    {
        document.AddComponent<IOpenApiSchema>(name, schema);
        return Reference(name);
    }

    private OpenApiSchemaReference Reference(string name) => new(name, document);
}
