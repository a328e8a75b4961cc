using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>A file that the pages load. Its name holds a hash of what is in it, so that browsers may keep it for good.</summary>
internal sealed class Asset
{
    private readonly byte[] _bytes;
    private readonly string _type;

    private Asset(string file, string type)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream("Keelback.Ops.Assets." + file)!;
        _bytes = new byte[stream.Length];
        stream.ReadExactly(_bytes);
        _type = type;

        var hash = Convert.ToHexStringLower(SHA256.HashData(_bytes).AsSpan(0, 6));
        Name = $"{Path.GetFileNameWithoutExtension(file)}.{hash}{Path.GetExtension(file)}";
    }

    public string Name { get; }

    public static Asset Load(string file, string type) => new(file, type);

    public Task WriteAsync(HttpContext http)
    {
        http.Response.ContentType = _type;
        http.Response.ContentLength = _bytes.Length;
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.Headers.ETag = $"\"{Name}\"";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.Body.WriteAsync(_bytes, http.RequestAborted).AsTask();
    }
}

/// <summary>All of them.</summary>
internal static class Assets
{
    public static readonly Asset Css = Asset.Load("ops.css", "text/css; charset=utf-8");
    public static readonly Asset Js = Asset.Load("ops.js", "text/javascript; charset=utf-8");
    public static readonly Asset Icon = Asset.Load("icon.svg", "image/svg+xml");

    public static Asset? Find(string name) => new[] { Css, Js, Icon }.FirstOrDefault(a => a.Name == name);
}
