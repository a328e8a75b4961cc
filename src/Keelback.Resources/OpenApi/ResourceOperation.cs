using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Keelback.Resources;

/// <summary>Describes one verb of one resource.</summary>
internal sealed class ResourceOperation(
    ResourceEndpoint endpoint, ResourceInputs inputs, ResourceSchemas schemas, OpenApiDocument document)
{
    private const string Json = "application/json";
    private const string MergePatch = "application/merge-patch+json";

    private readonly IResourceDefinition _resource = endpoint.Resource;

    private string Noun => _resource.Name.EndsWith(nameof(Resource), StringComparison.Ordinal) && _resource.Name.Length > nameof(Resource).Length
        ? _resource.Name[..^nameof(Resource).Length]
        : _resource.Name;

    public async Task<OpenApiOperation> BuildAsync(bool isOpen, CancellationToken ct)
    {
        document.Tags ??= new HashSet<OpenApiTag>();
        document.Tags.Add(new OpenApiTag { Name = Noun });
        var operation = new OpenApiOperation
        {
            OperationId = JsonNamingPolicy.CamelCase.ConvertName(Noun) + endpoint.Verb,
            Tags = new HashSet<OpenApiTagReference> { new(Noun, document) },
            Parameters = [],
            Responses = [],
        };

        await AddSuccessAsync(operation, ct);
        if (endpoint.Verb == ResourceVerb.List) AddQuery(operation);
        else if (endpoint.Verb != ResourceVerb.Create) operation.Parameters.Add(Id());
        if (endpoint.Verb is ResourceVerb.Update or ResourceVerb.Delete) operation.Parameters.Add(IfMatch());

        foreach (var status in Problems(isOpen)) operation.Responses[Text(status)] = await ProblemAsync(status, ct);
        return operation;
    }

    private async Task AddSuccessAsync(OpenApiOperation operation, CancellationToken ct)
    {
        switch (endpoint.Verb)
        {
            case ResourceVerb.List:
                operation.Responses!["200"] = Response("A page of rows.", ResourceSchemas.Page(await schemas.OfAsync(_resource.Dto, ct)));
                break;
            case ResourceVerb.Retrieve:
                operation.Responses!["200"] = Row("The row.", await schemas.OfAsync(_resource.Dto, ct));
                operation.Responses["304"] = new OpenApiResponse { Description = "The row is as If-None-Match has it." };
                break;
            case ResourceVerb.Create:
                operation.RequestBody = Body(schemas.Of(inputs.Create!, isPatch: false), Json);
                operation.Responses!["201"] = Row("The created row.", await schemas.OfAsync(_resource.Dto, ct), hasLocation: true);
                break;
            case ResourceVerb.Update:
                operation.RequestBody = Body(schemas.Of(inputs.Update!, isPatch: true), Json, MergePatch);
                operation.Responses!["200"] = Row("The changed row.", await schemas.OfAsync(_resource.Dto, ct));
                break;
            default:
                operation.Responses!["204"] = new OpenApiResponse { Description = "The row is deleted." };
                break;
        }
    }

    private void AddQuery(OpenApiOperation operation)
    {
        foreach (var (key, (rule, op)) in _resource.Query.FilterKeys)
            operation.Parameters!.Add(op == FilterOp.In
                ? Query(key, ScalarSchema.Array(rule.ValueType))
                : Query(key, ScalarSchema.Of(op == FilterOp.IsNull ? typeof(bool) : rule.ValueType)));

        if (_resource.Query.Searched.Count > 0)
            operation.Parameters!.Add(Query(QueryKeys.Search, ScalarSchema.Of(typeof(string)), "Rows that hold every word."));
        if (_resource.Query.Orders.Count > 0)
            operation.Parameters!.Add(Query(QueryKeys.Ordering, ScalarSchema.Array(_resource.Query.Orders.Keys.SelectMany(o => new[] { o, "-" + o })),
                "One or several; '-' is descending."));

        operation.Parameters!.Add(Query(QueryKeys.Page, ScalarSchema.Whole(1, null, 1)));
        operation.Parameters.Add(Query(QueryKeys.PageSize, ScalarSchema.Whole(1, _resource.Query.MaxPageSize, _resource.Query.PageSize)));
    }

    private int[] Problems(bool isOpen)
    {
        int[] statuses = endpoint.Verb switch
        {
            ResourceVerb.List => [400, 404],
            ResourceVerb.Retrieve => [400, 404],
            ResourceVerb.Create => [400, 409, 413, 415],
            ResourceVerb.Update => [400, 404, 409, 412, 413, 415],
            _ => [400, 404, 409, 412],
        };
        if (_resource.RequireIfMatch && endpoint.Verb is ResourceVerb.Update or ResourceVerb.Delete) statuses = [.. statuses, 428];
        return isOpen ? statuses : [.. statuses, 401, 403];
    }

    private async Task<OpenApiResponse> ProblemAsync(int status, CancellationToken ct) => new()
    {
        Description = ReasonPhrases.GetReasonPhrase(status),
        Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new() { Schema = await schemas.ProblemAsync(ct) } },
    };

    private OpenApiParameter Id() => new()
    {
        Name = "id",
        In = ParameterLocation.Path,
        Required = true,
        Schema = ScalarSchema.Of(inputs.Key),
    };

    private OpenApiParameter IfMatch() => new()
    {
        Name = "If-Match",
        In = ParameterLocation.Header,
        Required = _resource.RequireIfMatch,
        Description = "The ETag of the row as the caller has seen it.",
        Schema = ScalarSchema.Of(typeof(string)),
    };

    // explode: false is what a list in one key, separated by commas, is called.
    private static OpenApiParameter Query(string name, OpenApiSchema schema, string? description = null) => new()
    {
        Name = name,
        In = ParameterLocation.Query,
        Schema = schema,
        Description = description,
        Style = schema.Type == JsonSchemaType.Array ? ParameterStyle.Form : null,
        Explode = schema.Type != JsonSchemaType.Array,
    };

    private static OpenApiRequestBody Body(IOpenApiSchema schema, params string[] types) => new()
    {
        Required = true,
        Content = types.ToDictionary(t => t, _ => new OpenApiMediaType { Schema = schema }),
    };

    private static OpenApiResponse Row(string description, IOpenApiSchema schema, bool hasLocation = false)
    {
        var response = Response(description, schema);
        response.Headers = new Dictionary<string, IOpenApiHeader>
        {
            ["ETag"] = new OpenApiHeader { Description = "The row's state, for If-Match and If-None-Match.", Schema = ScalarSchema.Of(typeof(string)) },
        };
        if (hasLocation)
            response.Headers["Location"] = new OpenApiHeader { Description = "The row's address.", Schema = ScalarSchema.Of(typeof(string)) };
        return response;
    }

    private static OpenApiResponse Response(string description, IOpenApiSchema schema) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = schema } },
    };

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
