using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Jobs.Generator.Tests;

/// <summary>How a generated kind reads a payload, calls the method and writes the result.</summary>
public class RunTests
{
    private readonly Calls _calls = [];

    [Fact]
    public async Task A_run_gets_what_the_call_was_given_and_its_result_is_json()
    {
        using var cancel = new CancellationTokenSource();

        var result = await RunAsync(Media.Fetch(new Uri("https://keelback.test/a.png")), token: cancel.Token);

        Assert.Equal("""{"path":"/a.png"}""", result);
        Assert.Equal(["Fetch https://keelback.test/a.png True"], _calls);
    }

    [Fact]
    public void A_kind_has_its_methods_attributes()
    {
        var metadata = Media.Resize(new("a"), 1).Kind.Metadata;

        var retry = Assert.IsType<RetryAttribute<IOException>>(metadata[0]);
        Assert.Equal((10, RetryBackoff.Linear, typeof(IOException)), (retry.MaxAttempts, retry.Backoff, retry.Exception));
        Assert.IsType<ExpectedAttribute<FileNotFoundException>>(metadata[1]);
        Assert.Empty(Media.Count().Kind.Metadata);
    }

    [Fact]
    public void A_kind_has_the_context_that_its_job_names()
    {
        Assert.Equal(typeof(Albums), Media.Keep().Kind.Defaults.Context);
        Assert.Null(Media.Fetch(new Uri("https://keelback.test")).Kind.Defaults.Context);
    }

    [Fact]
    public void A_kind_knows_whether_it_takes_or_returns_a_secret()
    {
        Job[] jobs = [Vault.Password("x"), Vault.Deep([]), Vault.Known([]), Vault.Give(), Vault.Plain(new("a"), null)];

        Assert.Equal([true, true, true, true, false], jobs.Select(job => job.Kind.HoldsSecrets));
        Assert.Equal(["password"], Assert.Single(jobs, job => job.Kind.Secrets.Count > 0).Kind.Secrets);
    }

    [Fact]
    public void A_scheduled_kind_has_a_call_with_every_default_in_its_own_version()
    {
        var call = Nightly.__JobKinds.Tidy_1.DefaultCall!();

        Assert.Equal(
            """{"keepDays":90,"of":null,"day":"Monday","until":null,"only":null,"$version":2}""", Encoding.UTF8.GetString(call.Payload.Span));
        Assert.Same(Nightly.__JobKinds.Tidy_1, call.Kind);
        Assert.Null(Media.Count().Kind.DefaultCall);
    }

    [Fact]
    public async Task A_job_without_a_result_writes_nothing()
    {
        var result = await RunAsync(Media.Label(new("a"), "x", Format.Png, 2, new DateOnly(2026, 1, 31)));

        Assert.Equal("", result);
        Assert.Equal(["Label a x Png 2 2026-01-31"], _calls);
    }

    [Fact]
    public async Task A_row_of_older_code_gets_the_defaults_of_parameters_it_does_not_know()
    {
        await RunAsync(Media.Label(new("a")), """{"file":{"path":"old"}}""");

        Assert.Equal(["Label old null Webp 1.5 null"], _calls);
    }

    [Fact]
    public async Task A_row_that_lacks_a_parameter_without_a_default_says_so()
    {
        var error = await Assert.ThrowsAsync<KeelbackException>(() => RunAsync(Media.Resize(new("a"), 1), """{"size":1}"""));

        Assert.Equal("KB1204: The payload has no 'file', and the method's parameter of type FileRef has no default. " +
            "Give new parameters a default, so that rows written by older code still run.", error.Message);
    }

    [Fact]
    public async Task A_row_that_does_not_fit_says_which_parameter()
    {
        var error = await Assert.ThrowsAsync<KeelbackException>(
            () => RunAsync(Media.Resize(new("a"), 1), """{"file":{"path":"a"},"size":"big"}"""));

        Assert.StartsWith("KB1205: The payload's 'size' does not read as Int32: ", error.Message);
    }

    [Fact]
    public async Task Lists_dictionaries_and_private_and_static_jobs_run()
    {
        await RunAsync(Media.Tag(["x", "y"], new Dictionary<string, int> { ["a"] = 1 }, 7));
        await RunAsync(Media.Sweeping());
        var listed = await RunAsync(Etl.List(new(2026, 1, 31)));

        Assert.Equal(["Tag x,y [a, 1] 7", "Sweep"], _calls);
        Assert.Equal("""["2026-01-31.csv"]""", listed);
    }

    [Fact]
    public async Task An_object_made_for_the_run_is_disposed_with_it_and_one_of_the_container_is_not()
    {
        await RunAsync(Disposing.Go());
        Assert.Equal(["made", "ran", "disposed"], _calls);

        _calls.Clear();
        await RunAsync(Disposing.Go(), register: services => services.AddSingleton<Disposing>(), afterwards: () => Assert.Equal(["made", "ran"], _calls));
    }

    [Fact]
    public void The_jobs_of_a_library_that_the_app_names_no_type_of_are_added_by_its_assembly_once()
    {
        // Keelback.Jobs stands for a worker program: it has no jobs, and no reference to this assembly.
        var app = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = typeof(Job).Assembly.GetName().Name });
        var keelback = new KeelbackBuilder(app).AddJobs();
        int Known() => app.Services.Count(service => service.ServiceType == typeof(JobKind));

        var before = Known();
        keelback.AddJobsOf(typeof(Media).Assembly);
        var after = Known();
        keelback.AddJobsOf(typeof(Media).Assembly);

        Assert.Equal((0, 18, 18), (before, after, Known()));
        Assert.Contains(app.Services, service => service.ServiceType == typeof(Media));
    }

    [Fact]
    public void The_assembly_names_a_registry_of_all_its_kinds()
    {
        var attribute = typeof(RunTests).Assembly.GetCustomAttributesData()
            .Single(data => data.AttributeType.IsGenericType && data.AttributeType.GetGenericTypeDefinition() == typeof(JobRegistryAttribute<>));

        var registry = attribute.AttributeType.GenericTypeArguments[0];
        var kinds = (IEnumerable<JobKind>)registry.GetProperty("Kinds")!.GetValue(null)!;

        Assert.Equal(
            ["Disposing.Go", "Etl.List", "Media.ContactSheet", "Media.Count", "Media.Fetch", "Media.Keep", "Media.Resize", "Media.ResizeAll", "Media.Sizes", "Media.Sweep", "Media.Tag", "Nightly.Tidy", "Vault.Deep", "Vault.Give", "Vault.Known", "Vault.Password", "Vault.Plain", "media.label"],
            kinds.Select(kind => kind.Name).Order(StringComparer.Ordinal));
        var label = kinds.Single(kind => kind.Name == "media.label").Defaults;
        Assert.Equal(("media.label", "00:00:30", 2, 4, "default", false),
            (label.Kind, label.Timeout, label.Priority, label.MaxAttempts, label.Queue, label.Transactional));
    }

    private async Task<string> RunAsync(
        Job job, string? payload = null, Action<IServiceCollection>? register = null, Action? afterwards = null, CancellationToken token = default)
    {
        var services = new ServiceCollection().AddSingleton(_calls);
        register?.Invoke(services);
        services.AddJobKind(job.Kind);
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        using var input = JsonDocument.Parse(payload ?? Encoding.UTF8.GetString(job.Payload.Span));

        var result = await job.Kind.Run(new(scope.ServiceProvider, input.RootElement, token));

        afterwards?.Invoke();
        return Encoding.UTF8.GetString(result.Span);
    }
}

/// <summary>A job with a schedule, whose ticks have no arguments to give.</summary>
internal sealed partial class Nightly
{
    [Job(Version = 2), Upgrade<FromV1>(1), Schedule("0 2 * * *"), Limit("keep:{keepDays}", Slots = 1)]
    public Task Tidy(int keepDays = 90, string? of = null, DayOfWeek day = DayOfWeek.Monday, DateOnly? until = null, IReadOnlyList<int>? only = null, CancellationToken ct = default) =>
        Task.FromResult((keepDays, of, day, until, only));

    public sealed class FromV1 : IPayloadUpgrade
    {
        public static System.Text.Json.Nodes.JsonObject Upgrade(System.Text.Json.Nodes.JsonObject payload) => throw new InvalidOperationException("A tick is of this version.");
    }
}
