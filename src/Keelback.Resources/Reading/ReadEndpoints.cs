using System.Globalization;
using System.Text.Json;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Net.Http.Headers;

namespace Keelback.Resources;

/// <summary>List and retrieve.</summary>
internal sealed class ReadEndpoints<T, TDto>(ResourceHandler<T, TDto> handler)
    where T : class
    where TDto : class
{
    public const string JsonType = "application/json; charset=utf-8";

    public async Task ListAsync(HttpContext http)
    {
        if (ResourceRequest.Refuse(http.Request, takesQuery: true) is { } refused)
        {
            await refused.ExecuteAsync(http);
            return;
        }

        var (query, problem) = QueryReader.Read(http.Request.Query, handler.Definition.Query);
        if (query is null)
        {
            await problem!.ExecuteAsync(http);
            return;
        }

        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        using var results = new PooledBuffer(16 * 1024);
        var count = await new RowReader<T, TDto>(plan, db, handler.Scope(http)).WritePageAsync(plan.Fit(query), results, http.RequestAborted);
        if (query.Page > 1 && query.Offset >= count)
        {
            await BeyondTheLast(query, count).ExecuteAsync(http);
            return;
        }

        await AnswerAsync(http, query, count, results);
    }

    public async Task RetrieveAsync(HttpContext http)
    {
        var db = handler.Context(http);
        var plan = handler.Plan(http, db);
        var (key, problem) = ResourceRequest.Key(http, plan.KeyType);
        if ((ResourceRequest.Refuse(http.Request, takesQuery: false) ?? problem) is { } refused)
        {
            await refused.ExecuteAsync(http);
            return;
        }

        using var row = await new RowReader<T, TDto>(plan, db, handler.Scope(http)).ReadAsync(key!, http.RequestAborted);
        if (row is null) await ResourceRequest.NotFound(key!).ExecuteAsync(http);
        else if (IsKnown(http.Request, row.ETag)) NotModified(http.Response, row.ETag);
        else await AnswerAsync(http, StatusCodes.Status200OK, row);
    }

    public static async Task AnswerAsync(HttpContext http, int status, Representation row)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = JsonType;
        response.ContentLength = row.Json.Length;
        response.Headers.ETag = row.ETag;
        response.Headers.CacheControl = "no-cache"; // may be kept, must be asked about
        if (!HttpMethods.IsHead(http.Request.Method)) await response.BodyWriter.WriteAsync(row.Json, http.RequestAborted);
    }

    private static async Task AnswerAsync(HttpContext http, ListQuery query, int count, PooledBuffer results)
    {
        using var body = new PooledBuffer(results.Length + 512);
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("count", count);
            Link(json, "next", query.Offset + query.PageSize < count ? query.Page + 1 : null, http.Request);
            Link(json, "previous", query.Page > 1 ? query.Page - 1 : null, http.Request);
            json.WritePropertyName("results");
            json.WriteRawValue(results.Written.Span, skipInputValidation: true);
            json.WriteEndObject();
        }

        var response = http.Response;
        response.ContentType = JsonType;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.BodyWriter.WriteAsync(body.Written, http.RequestAborted);
    }

    private static void Link(Utf8JsonWriter json, string name, int? page, HttpRequest request)
    {
        if (page is null)
        {
            json.WriteNull(name);
            return;
        }

        var query = new QueryBuilder(request.Query
            .Where(q => q.Key != QueryKeys.Page)
            .SelectMany(q => q.Value.Select(v => KeyValuePair.Create(q.Key, v ?? ""))));
        query.Add(QueryKeys.Page, page.Value.ToString(CultureInfo.InvariantCulture));
        json.WriteString(name, UriHelper.BuildAbsolute(
            request.Scheme, request.Host, request.PathBase, request.Path, query.ToQueryString()));
    }

    private static Problem BeyondTheLast(ListQuery query, int count) => new(StatusCodes.Status404NotFound, Errors:
    [
        FieldError.InParameter(QueryKeys.Page, "range",
            $"There is no page {query.Page}; the last is {Math.Max(1, (count + query.PageSize - 1) / query.PageSize)}."),
    ]);

    private static bool IsKnown(HttpRequest request, string etag)
    {
        var values = request.Headers.IfNoneMatch;
        return values.Count > 0
            && EntityTagHeaderValue.TryParseList([.. values.OfType<string>()], out var tags)
            && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.Equals(etag, StringComparison.Ordinal));
    }

    private static void NotModified(HttpResponse response, string etag)
    {
        response.StatusCode = StatusCodes.Status304NotModified;
        response.Headers.ETag = etag;
        response.Headers.CacheControl = "no-cache";
    }
}
