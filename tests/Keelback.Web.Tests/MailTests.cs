using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Web.Tests;

public sealed class MailTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keelback-mail").FullName;

    [Fact]
    public async Task Without_a_host_a_mail_becomes_a_file()
    {
        await Sender().SendAsync(
            new Mail("Ada <ada@example.com>", "Your receipt: 1 €", "Thanks") { Html = "<p>Thanks</p>", MessageId = "receipt-1@shop.example" }, default);

        var text = await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(_folder)));
        Assert.Contains("To: \"Ada\" <ada@example.com>", text);
        Assert.Contains("Message-Id: <receipt-1@shop.example>", text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("text/html", text);
        Assert.Empty(Directory.GetDirectories(_folder));
    }

    [Theory]
    [InlineData("ada@example.com", "Hi\r\nBcc: all@example.com", null, "KB1301")]
    [InlineData("ada@example.com\nBcc: all@example.com", "Hi", null, "KB1301")]
    [InlineData("ada@example.com", "Hi", "a>\r\nBcc: all@example.com", "KB1301")]
    [InlineData("nobody", "Hi", null, "KB1303")]
    public async Task What_would_begin_a_header_is_refused(string to, string subject, string? id, string code)
    {
        var error = await Assert.ThrowsAsync<KeelbackException>(() => Sender().SendAsync(new Mail(to, subject, "x") { MessageId = id }, default));

        Assert.Equal(code, error.Code);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task A_mail_to_nobody_is_refused()
    {
        var error = await Assert.ThrowsAsync<KeelbackException>(() => Sender().SendAsync(new Mail([], "Hi", "x"), default));

        Assert.Equal("KB1302: The mail has no recipient. Give at least one address in To.", error.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IMailSender Sender()
    {
        var host = Host.CreateEmptyApplicationBuilder(new());
        host.Configuration.AddInMemoryCollection([new("Keelback:Mail:Folder", _folder)]);
        new KeelbackBuilder(host).AddWeb();
        return host.Build().Services.GetRequiredService<IMailSender>();
    }
}
