using Npgsql;

namespace Keelback.Postgres;

/// <summary>Reads <c>postgres://</c> URLs as libpq does (manual, 34.1.1.2) and turns them into Npgsql's keywords.</summary>
internal static class ConnectionUrl
{
    /// <summary>libpq's names for what Npgsql calls otherwise. Names that both share, or that only Npgsql knows, pass as they are.</summary>
    private static readonly Dictionary<string, string> s_keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["channel_binding"] = "Channel Binding",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["client_encoding"] = "Client Encoding",
        ["target_session_attrs"] = "Target Session Attributes",
        ["keepalives_idle"] = "TCP Keepalive Time",
        ["krbsrvname"] = "Kerberos Service Name",
    };

    /// <summary>Keywords pass as they are, once Npgsql has read them; a URL is translated.</summary>
    /// <exception cref="KeelbackException">KB1002: it cannot be read.</exception>
    public static string ToKeywords(string text)
    {
        text = text.Trim();
        if (text.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 && !text[..scheme].Contains('='))
            return text[..scheme].ToLowerInvariant() is "postgres" or "postgresql"
                ? Translate(text[(scheme + "://".Length)..])
                : throw PostgresErrors.BadUrl($"it begins with '{text[..scheme]}://'");

        try
        {
            return new NpgsqlConnectionStringBuilder(text).ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw PostgresErrors.BadConnectionString(e);
        }
    }

    /// <summary><c>[user[:password]@][host[:port][,…]][/database][?name=value[&amp;…]]</c></summary>
    private static string Translate(string url)
    {
        var parts = new NpgsqlConnectionStringBuilder();

        var query = url.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? url : url[..query];

        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? path : path[..slash];
        if (slash >= 0 && slash < path.Length - 1) parts.Database = Decode(path[(slash + 1)..], "the database");

        // The last @: a password with one that was not encoded is still read as it was meant.
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var user = authority[..at].Split(':', 2);
            if (user[0].Length > 0) parts.Username = Decode(user[0], "the user");
            if (user.Length > 1) parts.Password = Decode(user[1], "the password");
        }

        if (authority[(at + 1)..] is { Length: > 0 } hosts) SetHosts(parts, hosts);
        if (query >= 0) SetParameters(parts, url[(query + 1)..]);

        if (string.IsNullOrEmpty(parts.Host)) parts.Host = "localhost";
        return parts.ConnectionString;
    }

    private static void SetHosts(NpgsqlConnectionStringBuilder parts, string hosts)
    {
        var read = hosts.Split(',').Select(ReadHost).ToList();
        if (read is [var (host, port)])
        {
            parts.Host = host;
            if (port is not null) parts.Port = port.Value;
            return;
        }

        parts.Host = string.Join(',', read.Select(h => h.Port is null ? h.Host : $"{h.Host}:{h.Port}"));
    }

    private static (string Host, int? Port) ReadHost(string text)
    {
        // [::1]:5432: the colons within brackets belong to the address.
        var colon = text.IndexOf(':', Math.Max(0, text.LastIndexOf(']')));
        var host = Decode(colon < 0 ? text : text[..colon], "the host");
        if (colon < 0 || colon == text.Length - 1) return (host, null);

        return int.TryParse(text[(colon + 1)..], out var port) && port is > 0 and <= 65535
            ? (host, port)
            : throw PostgresErrors.BadUrl("what follows the host's ':' is not a port, 1 to 65535; is a '/', '?' or '#' in the password not encoded?");
    }

    private static void SetParameters(NpgsqlConnectionStringBuilder parts, string query)
    {
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw PostgresErrors.BadUrl($"'{pair}' after the '?' is not name=value");

            var name = Decode(pair[..equals], "a parameter's name");
            var value = Decode(pair[(equals + 1)..], $"the value of '{name}'");
            try
            {
                parts[s_keywords.GetValueOrDefault(name, name)] = Value(name, value);
            }
            catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException)
            {
                throw PostgresErrors.BadUrl($"the parameter '{name}' or its value is not known to Npgsql", e);
            }
        }
    }

    /// <summary>libpq hyphenates what Npgsql writes in one word: verify-full.</summary>
    private static string Value(string name, string value) =>
        name.Equals("sslmode", StringComparison.OrdinalIgnoreCase) ? value.Replace("-", "", StringComparison.Ordinal) : value;

    private static string Decode(string text, string what)
    {
        for (var i = text.IndexOf('%'); i >= 0; i = text.IndexOf('%', i + 1))
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                throw PostgresErrors.BadUrl($"in {what}, a '%' is not followed by two hexadecimal digits; a '%' itself is written %25");

        return Uri.UnescapeDataString(text);
    }
}
