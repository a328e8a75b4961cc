using Npgsql;

namespace Keelback.Jobs;

/// <summary>A statement of a caller's that goes before a worker's exchange, and is committed by itself. Its first end counts.</summary>
internal sealed class CarriedCall(NpgsqlBatchCommand command)
{
    private readonly TaskCompletionSource<List<long>?> _ids = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public NpgsqlBatchCommand Command => command;

    /// <inheritdoc cref="CallCarrier.SendAsync"/>
    public Task<List<long>?> Ids => _ids.Task;

    /// <summary>It was run, and only its commit can still fail.</summary>
    public bool HasRun { get; set; }

    public bool IsCommitted => _ids.Task is { IsCompletedSuccessfully: true, Result: not null };

    public void Committed(List<long> ids) => _ids.TrySetResult(ids);

    /// <summary>It was not sent.</summary>
    public void Refuse() => _ids.TrySetResult(null);

    /// <summary>It was sent, and threw. False: it had been committed before.</summary>
    public bool Failed(Exception e) => _ids.TrySetException(e) && _ids.Task.Exception is not null; // looked at: a caller who cancelled does not

    /// <summary>The same statement; what comes after it in a batch is another transaction.</summary>
    public static NpgsqlBatchCommand InABatch(NpgsqlCommand statement)
    {
        var command = new NpgsqlBatchCommand(statement.CommandText) { AppendErrorBarrier = true };
        NpgsqlParameter[] parameters = [.. statement.Parameters.Cast<NpgsqlParameter>()];
        statement.Parameters.Clear(); // a parameter is one statement's
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }
}
