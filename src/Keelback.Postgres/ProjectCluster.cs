using Keelback.Postgres.Guardian;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>This process's seat in its project's private cluster, taken when it is first asked for and given up with the host.</summary>
internal sealed class ProjectCluster(IHostEnvironment environment, IOptions<PostgresOptions> options, ILogger<ProjectCluster> log) : IDisposable
{
    private readonly Lock _gate = new();
    private PrivateCluster? _cluster;

    /// <summary>Npgsql's keywords, password included. The first call may take seconds, when the cluster is made.</summary>
    /// <exception cref="KeelbackException">KB1020-KB1028: it cannot be had.</exception>
    public string ConnectionString()
    {
        lock (_gate)
        {
            if (_cluster is null)
            {
                _cluster = Join(environment.ContentRootPath, options.Value.Binaries);
                Log.PrivateCluster(log, _cluster.Port, _cluster.Folder.Path);
            }

            return ConnectionUrl.ToKeywords(_cluster.Url);
        }
    }

    public void Dispose() => _cluster?.Dispose();

    /// <summary>A seat without a host, for the test kit; the cluster's maintenance database, where others are made.</summary>
    /// <exception cref="KeelbackException">KB1020-KB1028: it cannot be had.</exception>
    public static (string ConnectionString, IDisposable Seat) Take(string startFolder)
    {
        var cluster = Join(startFolder, binaries: null);
        return (new NpgsqlConnectionStringBuilder(ConnectionUrl.ToKeywords(cluster.Url)) { Database = "postgres" }.ConnectionString, cluster);
    }

    /// <summary>Blocks, because a service factory must; nothing here needs the caller's thread.</summary>
    private static PrivateCluster Join(string startFolder, string? binaries)
    {
        try
        {
            var folder = ClusterFolder.For(ProjectFolder.Of(startFolder));
            return Task.Run(() => PrivateCluster.JoinAsync(folder, binaries, CancellationToken.None)).GetAwaiter().GetResult();
        }
        catch (ClusterException e)
        {
            throw new KeelbackException(e.Code, e.Message, e.InnerException);
        }
    }
}
