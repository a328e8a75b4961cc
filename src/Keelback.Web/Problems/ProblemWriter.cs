using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Keelback.Web;

/// <summary>Writes a problem document. Serializes by hand: it must not fail because of the app's JSON settings.</summary>
internal static class ProblemWriter
{
    public const string ContentType = "application/problem+json";

    // No browser takes the answer for HTML (its type, and nosniff), and people read the messages.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync(HttpContext http, Problem problem)
    {
        var response = http.Response;
        if (response.HasStarted) return;

        response.StatusCode = problem.Status;
        response.ContentType = ContentType;
        response.ContentLength = null;
        response.Headers.CacheControl = "no-store";
        response.Headers.ETag = default;

        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, s_options)) Write(json, problem, TraceId(http));

        response.ContentLength = buffer.Written.Length;
        if (HttpMethods.IsHead(http.Request.Method)) return;
        await response.BodyWriter.WriteAsync(buffer.Written, http.RequestAborted);
    }

    public static string TraceId(HttpContext http) => Activity.Current?.Id ?? http.TraceIdentifier;

    private static void Write(Utf8JsonWriter json, Problem problem, string traceId)
    {
        json.WriteStartObject();
        json.WriteString("type", problem.Type);
        json.WriteString("title", problem.Title);
        json.WriteNumber("status", problem.Status);
        if (problem.Detail is not null) json.WriteString("detail", problem.Detail);
        json.WriteString("traceId", traceId);
        if (problem.Errors is { Count: > 0 } errors)
        {
            json.WriteStartArray("errors");
            foreach (var error in errors) Write(json, error);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FieldError error)
    {
        json.WriteStartObject();
        if (error.Pointer is not null) json.WriteString("pointer", error.Pointer);
        if (error.Parameter is not null) json.WriteString("parameter", error.Parameter);
        json.WriteString("code", error.Code);
        json.WriteString("message", error.Message);
        json.WriteEndObject();
    }
}
