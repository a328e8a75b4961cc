using Microsoft.EntityFrameworkCore;

namespace Keelback.Data.Tests;

public class UseKeelbackTests
{
    [Fact]
    public void A_context_without_PostgreSQL_cannot_be_made()
    {
        var options = new DbContextOptionsBuilder<Shop>().UseKeelback().Options;

        var error = Assert.Throws<KeelbackException>(() => new Shop(options));

        Assert.Equal("KB1103: UseKeelback() was called on a context without PostgreSQL. Call UseNpgsql(…) on the same options.", error.Message);
    }
}
