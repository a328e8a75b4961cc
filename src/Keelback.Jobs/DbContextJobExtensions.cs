using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Keelback;

/// <summary>Enqueueing with a context's rows.</summary>
public static class DbContextJobExtensions
{
    /// <summary>
    /// Enqueues with the next SaveChanges, in its transaction: the run exists if and only if the rows do. The call is evaluated
    /// after the insert, when generated keys are known. What <paramref name="options"/> set wins over the job's own <see cref="Job.With"/>,
    /// member by member.
    /// </summary>
    /// <exception cref="KeelbackException">KB1101: the context is configured without Keelback. KB1299: inside a transactional job, by a context of its scope that is not its transaction's. At SaveChanges: KB1206 to KB1208, and everything is rolled back.</exception>
    public static void Enqueue(this DbContext db, Func<Job> call, EnqueueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(call);
        db.GetService<Submission>().AtSave(db, call, options);
    }
}
