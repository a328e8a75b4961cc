namespace RecordStore.Import;

/// <summary>A file that cannot be imported at all. What is wrong with single rows is reported as rejects instead.</summary>
public sealed class ImportException(string message) : Exception(message)
{
    internal static ImportException NoFile(string path) => new($"There is no file {path}.");

    internal static ImportException NotUtf8(string path) => new($"{Path.GetFileName(path)} is not UTF-8; save it as such.");

    internal static ImportException WrongHeader(string path, IEnumerable<string> expected, string[] found)
    {
        var name = Path.GetFileName(path);
        if (found.Length == 0) return new($"{name} is empty; its first line must be {string.Join(',', expected)}");

        var missing = expected.Except(found).ToList();
        var unknown = found.Except(expected).ToList();
        var twice = found.GroupBy(column => column).Where(group => group.Count() > 1).Select(group => group.Key).ToList();

        return new($"The header of {name} " + string.Join(", and ", new[]
        {
            missing.Count > 0 ? $"lacks {string.Join(", ", missing)}" : "",
            unknown.Count > 0 ? $"has the unknown {string.Join(", ", unknown.Select(column => $"'{column}'"))}" : "",
            twice.Count > 0 ? $"has {string.Join(", ", twice)} twice" : "",
        }.Where(part => part.Length > 0)) + $"; it must be {string.Join(',', expected)}");
    }
}
