using System.Collections;
using Keelback.Web;

namespace Keelback.Testing;

/// <summary>The mail that the app sent in this test, oldest first; none leaves the process.</summary>
public sealed class MailOutbox : IReadOnlyList<Mail>
{
    private readonly List<Mail> _mails = [];
    private readonly Lock _gate = new();

    internal MailOutbox()
    {
    }

    /// <inheritdoc/>
    public int Count
    {
        get
        {
            lock (_gate) return _mails.Count;
        }
    }

    /// <inheritdoc/>
    public Mail this[int index]
    {
        get
        {
            lock (_gate) return _mails[index];
        }
    }

    /// <summary>Forgets them.</summary>
    public void Clear()
    {
        lock (_gate) _mails.Clear();
    }

    /// <inheritdoc/>
    public IEnumerator<Mail> GetEnumerator()
    {
        lock (_gate) return _mails.ToList().GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(Mail mail)
    {
        lock (_gate) _mails.Add(mail);
    }
}
