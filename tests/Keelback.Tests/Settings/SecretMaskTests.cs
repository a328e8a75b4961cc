
namespace Keelback.Tests.Settings;

public class SecretMaskTests
{
    [Theory]
    [InlineData("Shop:Name", "Ada's", "Ada's")]
    [InlineData("Shop:ApiKey", "abc", "****")]
    [InlineData("Keelback:Mail:Password", "abc", "****")]
    [InlineData("Shop:Password", "", "")]
    [InlineData("Shop:Keyboard", "de", "de")]
    [InlineData("DATABASE_URL", "postgres://ada:s3cret@db/shop", "postgres://ada:****@db/shop")]
    [InlineData("ConnectionStrings:Keelback", "Host=db;Password=s3;Database=x", "Host=db;Password=****;Database=x")]
    [InlineData("ConnectionStrings:Keelback", "Host=db;Password='a;b';Database=x", "Host=db;Password=****;Database=x")]
    public void Secrets_are_known_by_name_and_by_look(string key, string value, string shown) =>
        Assert.Equal(shown, SecretMask.Value(key, value));
}
