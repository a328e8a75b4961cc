using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.AspNetCore.Hosting;

namespace Keelback.Testing;

/// <summary>The apps of this test process. One that a test gave back serves the next one; as many run as tests run side by side.</summary>
internal static class TestHostPool
{
    // A start costs a second or two, and a test run is one process: the apps live as long as it does.
    [SuppressMessage("Design", "CA1859", Justification = "Kept by key")]
    private static readonly ConcurrentDictionary<object, ConcurrentBag<TestHost>> s_idle = new();
    private static readonly ConcurrentDictionary<Type, TestTemplate> s_templates = new();

    public static async Task<TestHost> RentAsync<TProgram>(Type test, TestIsolation isolation, Action<IWebHostBuilder> configure)
        where TProgram : class
    {
        var key = KeyOf<TProgram>(test, isolation);
        if (s_idle.TryGetValue(key, out var idle) && idle.TryTake(out var host)) return host;

        return await TestHost.StartAsync<TProgram>(key, s_templates.GetOrAdd(typeof(TProgram), TemplateOf<TProgram>), configure);
    }

    public static void Return(TestHost host) => s_idle.GetOrAdd(host.Key, _ => []).Add(host);

    // Rolled-back tests share; a class that changes the app, or that commits, has its own.
    private static (Type Program, Type? Class) KeyOf<TProgram>(Type test, TestIsolation isolation)
    {
        if (isolation == TestIsolation.Clone) return (typeof(TProgram), test);

        var configure = test.GetMethod("ConfigureApp", BindingFlags.Instance | BindingFlags.NonPublic)!.DeclaringType!;
        return (typeof(TProgram), configure.IsGenericType && configure.GetGenericTypeDefinition() == typeof(KeelbackTest<>) ? null : configure);
    }

    private static TestTemplate TemplateOf<TProgram>(Type program)
        where TProgram : class
    {
        var letters = program.Assembly.GetName().Name!.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit).Take(20);

        // A start of the app brings both schemas up to date: ours, and its own migrations.
        return new(string.Concat(letters), async (db, ct) =>
        {
            await using var factory = new AppFactory<TProgram>(db, new(), configure: null);
            _ = factory.Services;
        });
    }
}
