using System.Diagnostics;
using System.Globalization;
using System.Text;
using Keelback.Jobs;

namespace Keelback.Chaos;

/// <summary>One process's own file of what it did: a line a write, appended, so that a kill leaves whole lines.</summary>
/// <remarks>Times are of the machine's monotonic clock, which all processes share and no fault moves.</remarks>
internal sealed class Ledger : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _gate = new();

    public Ledger(string file) =>
        _file = new(file, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 });

    public static long Now => Stopwatch.GetTimestamp();

    public void Write(string what, params ReadOnlySpan<object> words)
    {
        var line = new StringBuilder(what).Append(' ').Append(Now.ToString(CultureInfo.InvariantCulture));
        foreach (var word in words) line.Append(' ').Append(Convert.ToString(word, CultureInfo.InvariantCulture)!.ReplaceLineEndings(" "));
        var bytes = Encoding.UTF8.GetBytes(line.Append('\n').ToString());
        lock (_gate) _file.Write(bytes);
    }

    /// <summary>An attempt begins; disposing says that it ended, and whether well.</summary>
    public LedgerAttempt Begin(JobContext context, long call)
    {
        var claim = context.Claim;
        Write("S", claim.RunId, claim.Attempt, claim.Token, claim.Kind, call);
        return new(this, claim);
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>One attempt in the ledger.</summary>
internal sealed class LedgerAttempt(Ledger ledger, Claim claim) : IDisposable
{
    private bool _ok;

    public void Ok() => _ok = true;

    /// <summary>The same for a tick, whose time is written down as well.</summary>
    public Task Ok(string schedule, long at)
    {
        ledger.Write("I", claim.RunId, schedule, at);
        _ok = true;
        return Task.CompletedTask;
    }

    public void Dispose() => ledger.Write("E", claim.RunId, claim.Attempt, claim.Token, _ok ? "ok" : "gone");
}
