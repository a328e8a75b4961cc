using Microsoft.AspNetCore.Builder;

namespace Keelback.Web.Tests;

public class NotAddedTests
{
    [Fact]
    public async Task Middleware_without_its_services_is_told_at_once()
    {
        await using var app = WebApplication.CreateBuilder().Build();

        var error = Assert.Throws<KeelbackException>(() => app.UseProblems());

        Assert.Equal(
            "KB1304: UseProblems was called, but Keelback.Web is not among the services. " +
            "Call AddKeelback(), or AddWeb() on a KeelbackBuilder.", error.Message);
    }
}
