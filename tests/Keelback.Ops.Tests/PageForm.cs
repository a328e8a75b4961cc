using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Keelback.Ops.Tests;

/// <summary>A page as a browser holds it: its antiforgery token and cookie.</summary>
internal sealed class PageForm(OpsApp app, string html, string cookie)
{
    public string Html => html;

    public string Cookie => cookie;

    public static async Task<PageForm> OfAsync(OpsApp app, string path)
    {
        var response = await app.Client.GetAsync(path);
        return new(app, await response.Content.ReadAsStringAsync(), response.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
    }

    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) => PostAsync(path, null, fields);

    public Task<HttpResponseMessage> PostAsync(string path, Action<HttpRequestHeaders>? headers, params (string Name, string Value)[] fields) =>
        SendAsync(path, new FormUrlEncodedContent(WithToken(fields).ToDictionary(f => f.Name, f => f.Value)), headers);

    /// <summary>The page's one form with a text area as a browser sends it: the hidden fields as they are, and the text with the line breaks of a form.</summary>
    public Task<HttpResponseMessage> PostTextAsync(string path, string name, string? text = null)
    {
        var form = html.Split("enctype=\"multipart/form-data\"")[1].Split("</form>")[0];
        var parts = new MultipartFormDataContent();
        foreach (Match hidden in Regex.Matches(form, "type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"")) parts.Add(new StringContent(hidden.Groups[2].Value), hidden.Groups[1].Value);
        parts.Add(new StringContent((text ?? TextArea).ReplaceLineEndings("\r\n")), name);
        return SendAsync(path, parts, null);
    }

    public string TextArea => WebUtility.HtmlDecode(html.Split("<textarea")[1].Split('>', 2)[1].Split("</textarea>")[0]);

    private IEnumerable<(string Name, string Value)> WithToken((string Name, string Value)[] fields)
    {
        var token = html.Split("type=\"hidden\" name=\"")[1];
        return fields.Append((token.Split('"')[0], token.Split("value=\"")[1].Split('"')[0]));
    }

    private async Task<HttpResponseMessage> SendAsync(string path, HttpContent content, Action<HttpRequestHeaders>? headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Add("Cookie", cookie);
        headers?.Invoke(request.Headers);
        return await app.Client.SendAsync(request);
    }
}
