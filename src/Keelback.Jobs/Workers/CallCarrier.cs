using Npgsql;

namespace Keelback.Jobs;

/// <summary>
/// Lets a call go with the exchange of this process's worker while that sleeps: the claim follows the call's commit on the same connection, without
/// waiting for anybody to hear of it. A call that is not taken goes on its own connection, as without a worker.
/// </summary>
internal sealed class CallCarrier
{
    private static readonly CarriedCall s_closed = new(new());

    // Null: open, and nobody has offered anything.
    private CarriedCall? _offered = s_closed;
    private volatile Action? _wake;

    /// <summary>Whether an offer would be taken now.</summary>
    public bool IsOpen => Volatile.Read(ref _offered) is null;

    /// <summary>The worker goes to sleep, and will hear <paramref name="wake"/>.</summary>
    public void Open(Action wake)
    {
        _wake = wake;
        Interlocked.CompareExchange(ref _offered, null, s_closed);
    }

    /// <summary>The worker is awake, or gone: what was offered meanwhile, which is now its to answer.</summary>
    public CarriedCall? Close() =>
        Interlocked.Exchange(ref _offered, s_closed) is { } call && call != s_closed ? call : null;

    /// <summary>The ids that the statement answers, when it is committed; null: nobody took it, and nothing was written.</summary>
    public async ValueTask<List<long>?> SendAsync(Func<NpgsqlCommand> statement, CancellationToken ct)
    {
        if (!IsOpen) return null;

        var call = new CarriedCall(CarriedCall.InABatch(statement()));
        if (Interlocked.CompareExchange(ref _offered, call, null) is not null) return null; // another was quicker

        _wake!();
        return await call.Ids.WaitAsync(ct);
    }
}
