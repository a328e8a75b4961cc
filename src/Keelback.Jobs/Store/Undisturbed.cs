using Npgsql;

namespace Keelback.Jobs;

/// <summary>What got into another transaction's way, a deadlock or a failure to serialize, is done again: nothing of it was written.</summary>
internal static class Undisturbed
{
    private const int Tries = 10;

    /// <param name="work">A transaction, or a statement that is one.</param>
    public static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure && tries < Tries)
            {
            }
        }
    }
}
