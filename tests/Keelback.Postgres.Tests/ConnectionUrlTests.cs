using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class ConnectionUrlTests
{
    [Theory]
    [InlineData("postgres://ada:secret@db.example:6543/store", "Host=db.example;Port=6543;Username=ada;Password=secret;Database=store")]
    [InlineData("postgresql://ada@db/store", "Host=db;Username=ada;Database=store")]
    [InlineData("POSTGRES://db", "Host=db")]
    [InlineData("postgres://a%40b:p%2Fw%25%3A@db/my%20store", "Host=db;Username=a@b;Password=p/w%:;Database=my store")]
    [InlineData("postgres://ada:p@ss@db/store", "Host=db;Username=ada;Password=p@ss;Database=store")]
    [InlineData("postgres://ada:a:b@db/store", "Host=db;Username=ada;Password=a:b;Database=store")]
    [InlineData("postgres://[::1]:5433/store", "Host=[::1];Port=5433;Database=store")]
    [InlineData("postgres://one:5433,two/store?target_session_attrs=read-write", "Host=one:5433,two;Database=store;Target Session Attributes=read-write")]
    [InlineData("postgresql:///store?host=/var/run/postgresql", "Host=/var/run/postgresql;Database=store")]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/store", "Host=/var/run/postgresql;Database=store")]
    [InlineData("postgres:///store", "Host=localhost;Database=store")]
    [InlineData("postgres://db/store?sslmode=verify-full&connect_timeout=3&application_name=a%26b", "Host=db;Database=store;SSL Mode=VerifyFull;Timeout=3;Application Name=a&b")]
    [InlineData("postgres://db/store?Maximum%20Pool%20Size=5", "Host=db;Database=store;Maximum Pool Size=5")]
    [InlineData("Host=db;Password=a://b", "Host=db;Password=a://b")]
    public void A_url_means_what_libpq_reads_in_it(string url, string expected)
    {
        var read = ConnectionUrl.ToKeywords(url);

        Assert.True(new NpgsqlConnectionStringBuilder(expected).EquivalentTo(new NpgsqlConnectionStringBuilder(read)), read);
    }

    [Theory]
    [InlineData("mysql://db/store", "it begins with 'mysql://'")]
    [InlineData("postgres://ada:pa/ss@db/store", "what follows the host's ':' is not a port, 1 to 65535; is a '/', '?' or '#' in the password not encoded?")]
    [InlineData("postgres://db:99999/store", "what follows the host's ':' is not a port, 1 to 65535; is a '/', '?' or '#' in the password not encoded?")]
    [InlineData("postgres://ada:100%@db/store", "in the password, a '%' is not followed by two hexadecimal digits; a '%' itself is written %25")]
    [InlineData("postgres://db/store?sslmode=maybe", "the parameter 'sslmode' or its value is not known to Npgsql")]
    [InlineData("postgres://db/store?colour=blue", "the parameter 'colour' or its value is not known to Npgsql")]
    [InlineData("postgres://db/store?sslmode", "'sslmode' after the '?' is not name=value")]
    public void A_broken_url_is_refused_without_showing_its_password(string url, string reason)
    {
        var e = Assert.Throws<KeelbackException>(() => ConnectionUrl.ToKeywords(url));

        Assert.Equal(
            $"KB1002: The database URL cannot be read: {reason}. " +
            "Write postgres://user:password@host:5432/database, with special characters percent-encoded.", e.Message);
    }

    [Fact]
    public void An_unknown_keyword_is_named()
    {
        var e = Assert.Throws<KeelbackException>(() => ConnectionUrl.ToKeywords("Host=db;Colour=blue"));

        Assert.Equal("KB1007", e.Code);
        Assert.Contains("Colour", e.Message, StringComparison.OrdinalIgnoreCase);
    }
}
