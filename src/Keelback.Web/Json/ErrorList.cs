namespace Keelback.Web;

/// <summary>All that is wrong with a body, up to a number that keeps a hostile one from filling the memory.</summary>
internal sealed class ErrorList
{
    private const int Most = 100;

    private readonly List<FieldError> _errors = [];

    public IReadOnlyList<FieldError> Errors => _errors;

    public int Count => _errors.Count;

    public bool IsFull => _errors.Count >= Most;

    public void Add(string pointer, string code, string message)
    {
        if (!IsFull) _errors.Add(FieldError.InBody(pointer, code, message));
    }

    public void Clear() => _errors.Clear();
}
