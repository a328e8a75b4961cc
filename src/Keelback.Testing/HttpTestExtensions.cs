using System.Net.Http.Json;
using System.Text.Json;

namespace Keelback.Testing;

/// <summary>Requests and expectations in one line.</summary>
public static class HttpTestExtensions
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Sends <paramref name="body"/> as JSON; an <see cref="HttpContent"/> as it is.</summary>
    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PostAsync(path, Content(body));
    }

    /// <inheritdoc cref="PostAsync"/>
    public static Task<HttpResponseMessage> PutAsync(this HttpClient client, string path, object body)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PutAsync(path, Content(body));
    }

    /// <inheritdoc cref="PostAsync"/>
    public static Task<HttpResponseMessage> PatchAsync(this HttpClient client, string path, object body)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.PatchAsync(path, Content(body));
    }

    /// <summary>Fails unless the status is <paramref name="status"/>, and shows the body: a problem document says why.</summary>
    public static async Task ShouldBe(this HttpResponseMessage response, int status)
    {
        ArgumentNullException.ThrowIfNull(response);
        if ((int)response.StatusCode == status) return;

        var request = response.RequestMessage;
        throw new TestFailedException(
            $"Expected {status} from {request?.Method} {request?.RequestUri?.PathAndQuery}, and it was {(int)response.StatusCode}:\n{await BodyAsync(response)}");
    }

    /// <summary>The body, read as a <typeparamref name="T"/>.</summary>
    public static async Task<T> ReadAsync<T>(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return await response.Content.ReadFromJsonAsync<T>()
            ?? throw new TestFailedException($"Expected a {typeof(T).Name} in the body, and there was null.");
    }

    private static HttpContent Content(object body) => body as HttpContent ?? JsonContent.Create(body);

    private static async Task<string> BodyAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        if (text.Length == 0) return "(no body)";

        try
        {
            return JsonSerializer.Serialize(JsonDocument.Parse(text), s_indented);
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
