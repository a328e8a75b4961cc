namespace Keelback.Postgres;

/// <summary>Who holds work. The epoch rises whenever a lease was lost, so that what was held before counts as nobody's.</summary>
internal readonly record struct WorkerIdentity(int Id, long Epoch)
{
    /// <summary>The name that a worker's own transactions carry on the server, so that the sweep can end them.</summary>
    public string ApplicationName => $"keelback:{Id}:{Epoch}";
}

/// <summary>What a process says about itself when it registers.</summary>
/// <param name="App">The app whose work it takes.</param>
/// <param name="Name">Machine and process, for people.</param>
/// <param name="Queues">The queues it takes; empty: all of the app's.</param>
/// <param name="Info">A JSON object for dashboards.</param>
internal sealed record WorkerDescription(string App, string Name, string[] Queues, string Info);
