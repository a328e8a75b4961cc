using System.Net.Http.Headers;

namespace Keelback.Ops.Tests;

/// <summary>A page as a browser holds it: its antiforgery token and cookie.</summary>
internal sealed class PageForm(OpsApp app, string html, string cookie)
{
    public string Html => html;

    public static async Task<PageForm> OfAsync(OpsApp app, string path)
    {
        var response = await app.Client.GetAsync(path);
        return new(app, await response.Content.ReadAsStringAsync(), response.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
    }

    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) => PostAsync(path, null, fields);

    public async Task<HttpResponseMessage> PostAsync(string path, Action<HttpRequestHeaders>? headers, params (string Name, string Value)[] fields)
    {
        var token = html.Split("type=\"hidden\" name=\"")[1];
        var all = fields.Append((token.Split('"')[0], token.Split("value=\"")[1].Split('"')[0])).ToDictionary(f => f.Item1, f => f.Item2);

        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(all) };
        request.Headers.Add("Cookie", cookie);
        headers?.Invoke(request.Headers);
        return await app.Client.SendAsync(request);
    }
}
