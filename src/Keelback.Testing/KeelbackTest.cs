using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Keelback.Testing;

/// <summary>A test of a whole app: HTTP in, a real PostgreSQL behind, its jobs, its mail and its clock in the test's hands.</summary>
/// <typeparam name="TProgram">A class of the app's assembly, such as <c>Program</c>.</typeparam>
/// <remarks>The app starts once and serves test after test; classes that run side by side get one each.</remarks>
public abstract class KeelbackTest<TProgram> : IAsyncLifetime
    where TProgram : class
{
    private TestHost? _host;
    private AsyncServiceScope? _scope;
    private readonly List<HttpClient> _clients = [];

    /// <summary>Default: everything is rolled back.</summary>
    protected virtual TestIsolation Isolation => TestIsolation.RolledBack;

    /// <summary>Changes to the app for this class, such as a replaced service; the class then has an app of its own.</summary>
    protected virtual void ConfigureApp(IWebHostBuilder app)
    {
    }

    /// <summary>An anonymous caller. Redirects are not followed; cookies are kept.</summary>
    [field: MaybeNull]
    protected HttpClient Client => field ??= NewClient();

    /// <summary>The app's jobs: none runs until the test drains them.</summary>
    protected TestJobs Jobs => Host.Jobs;

    /// <summary>What the app sent, oldest first.</summary>
    protected MailOutbox Mail => Host.Mail;

    /// <summary>The statements since the test began, or since they were last forgotten.</summary>
    protected QueryLog Queries => Host.Queries;

    /// <summary>Callbacks that wait for a commit; only where the test is rolled back, elsewhere they have run.</summary>
    protected CommitCallbacks OnCommit => Host.OnCommit;

    /// <summary>Moves the app's time and the database's together.</summary>
    protected TestClock Clock => Host.Clock.Current;

    /// <summary>The services of a scope that lasts as long as the test.</summary>
    protected IServiceProvider Services => (_scope ??= Host.Services.CreateAsyncScope()).ServiceProvider;

    private TestHost Host => _host ?? throw TestingErrors.NotStarted();

    /// <summary>A service of the app, such as its context, from a scope that lasts as long as the test.</summary>
    protected T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A caller whom the app takes for <paramref name="user"/>, whatever its ways to sign in.</summary>
    protected HttpClient As(ClaimsPrincipal user)
    {
        var client = NewClient();
        client.DefaultRequestHeaders.Add(TestUsers.Header, Host.Users.Add(user));
        return client;
    }

    /// <summary>A caller of this name and with these roles.</summary>
    protected HttpClient As(string name, params IEnumerable<string> roles) => As(new ClaimsPrincipal(new ClaimsIdentity(
        [new(ClaimTypes.Name, name), new(ClaimTypes.NameIdentifier, name), .. roles.Select(role => new Claim(ClaimTypes.Role, role))], "test")));

    /// <summary>A saved row: what the model requires is filled, what it must refer to is made too, what is unique is unique.</summary>
    /// <param name="with">Sets what this test is about, before what is still missing is made.</param>
    /// <exception cref="KeelbackException">KB1611: no context has the type. KB1612: the model wants a circle.</exception>
    protected async Task<T> Make<T>(Action<T>? with = null)
        where T : class
    {
        using var quiet = Queries.Pause();
        await using var scope = Host.Services.CreateAsyncScope();
        return await new Maker(scope.ServiceProvider).MakeAsync(with);
    }

    /// <inheritdoc/>
    public virtual async Task InitializeAsync()
    {
        _host = await TestHostPool.RentAsync<TProgram>(GetType(), Isolation, ConfigureApp);
        await _host.BeginAsync(Isolation);
    }

    /// <inheritdoc/>
    public virtual async Task DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        if (_scope is { } scope) await scope.DisposeAsync();
        if (_host is null) return;

        await _host.EndAsync();
        TestHostPool.Return(_host);
    }

    private HttpClient NewClient()
    {
        var client = Host.CreateClient();
        _clients.Add(client);
        return client;
    }
}
