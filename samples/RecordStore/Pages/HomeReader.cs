using System.Reflection;
using Keelback.Jobs;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace RecordStore.Pages;

/// <summary>Collects what the first page shows.</summary>
internal sealed class HomeReader(
    StoreDb db,
    NpgsqlDataSource postgres,
    EndpointDataSource routes,
    IHostEnvironment environment,
    IOptions<JobsOptions> jobs,
    IOptions<MailOptions> mail)
{
    public async Task<HomeModel> ReadAsync(CancellationToken ct) => new(
        environment.EnvironmentName,
        await DatabaseAsync(ct),
        Worker(jobs.Value),
        mail.Value.Host is { } host ? $"SMTP at {host}" : $"files in the folder {mail.Value.Folder}/",
        await CountsAsync(ct),
        [.. Endpoints()],
        [.. Jobs()],
        new(await db.Mails.CountAsync(ct), await db.Mails.CountAsync(m => m.DeliveredAt != null, ct)),
        await ImportAsync(ct));

    private async Task<string> DatabaseAsync(CancellationToken ct)
    {
        await using var connection = await postgres.OpenConnectionAsync(ct);
        return $"PostgreSQL {connection.PostgreSqlVersion}, {connection.Database} at {connection.Host}:{connection.Port}";
    }

    private static string Worker(JobsOptions options) =>
        !options.RunWorker ? "in another process" :
        $"in this process, {options.Concurrency} jobs at once, " + (options.Queues.Count == 0 ? "every queue" : string.Join(", ", options.Queues));

    private async Task<IReadOnlyList<HomeCount>> CountsAsync(CancellationToken ct) =>
    [
        new("tracks", await db.Tracks.CountAsync(ct), "/api/tracks"),
        new("albums", await db.Albums.CountAsync(ct), "/api/albums"),
        new("artists", await db.Artists.CountAsync(ct), "/api/artists"),
        new("playlists", await db.Playlists.CountAsync(ct), "/api/playlists"),
        new("customers", await db.Customers.CountAsync(ct), "/api/customers"),
        new("invoices", await db.Invoices.CountAsync(ct), "/api/invoices"),
    ];

    private IEnumerable<HomeEndpointLine> Endpoints() =>
        from route in routes.Endpoints.OfType<RouteEndpoint>()
        let path = "/" + route.RoutePattern.RawText?.Trim('/')
        where path is not ("/" or "/store.css" or "/metrics") && !path.StartsWith("/ops/", StringComparison.Ordinal) // closed until a policy is named
        let methods = route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        from method in methods
        where method is not ("HEAD" or "OPTIONS")
        group method by path into line
        orderby line.Key
        let readable = line.Contains("GET") && !line.Key.Contains('{')
        select new HomeEndpointLine(line.Key, string.Join(" ", line.Distinct().Order()), readable ? line.Key : null);

    private static IEnumerable<HomeJob> Jobs() =>
        from method in typeof(StoreDb).Assembly.GetTypes().SelectMany(type => type.GetMethods())
        let job = method.GetCustomAttribute<JobAttribute>()
        where job is not null
        orderby job.Queue, method.DeclaringType!.Name, method.Name
        select new HomeJob(job.Kind ?? $"{method.DeclaringType!.Name}.{method.Name}", job.Queue, job.MaxAttempts, job.Transactional);

    private Task<HomeImport?> ImportAsync(CancellationToken ct) => db.Imports
        .OrderByDescending(import => import.Id)
        .Select(import => new HomeImport(
            import.Folder,
            import.StartedAt,
            import.FinishedAt,
            import.Files.Sum(file => file.Inserted + file.Updated + file.Unchanged),
            import.Files.Sum(file => file.Rejected)))
        .FirstOrDefaultAsync(ct);
}
