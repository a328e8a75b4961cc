using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace RecordStore.Import;

/// <summary>One record of a CSV file; its values, or why it has none.</summary>
/// <param name="Line">Where it begins; the header is line 1.</param>
/// <param name="Values">In the header's order; null for an empty field.</param>
/// <param name="Problem">Why it is not a record; null when it is one.</param>
internal readonly record struct CsvRow(long Line, string?[] Values, string? Problem);

/// <summary>Reads a comma-separated UTF-8 file with a header, record by record; nothing that a record holds ends the reading.</summary>
internal sealed class CsvFile : IDisposable
{
    private readonly CsvParser _parser;
    private bool _badQuotes;

    private CsvFile(string path)
    {
        var settings = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            BadDataFound = _ => _badQuotes = true,
            IgnoreBlankLines = false, // they count as lines
        };

        // Bytes that are not UTF-8 become U+FFFD, and the record that holds one is rejected.
        _parser = new(new StreamReader(path, Encoding.UTF8), settings);
        Header = _parser.Read() ? _parser.Record! : [];
    }

    /// <summary>The names of the columns, in the file's order; empty for an empty file.</summary>
    public string[] Header { get; }

    /// <summary>Opens a file whose header names exactly <paramref name="columns"/>, in any order.</summary>
    /// <exception cref="ImportException">The file is not there, is not UTF-8, or has another header.</exception>
    public static CsvFile Open(string path, IReadOnlyCollection<string> columns)
    {
        if (!File.Exists(path)) throw ImportException.NoFile(path);

        var file = new CsvFile(path);
        if (columns.Order().SequenceEqual(file.Header.Order())) return file;

        file.Dispose();
        if (Array.Exists(file.Header, name => name.AsSpan().ContainsAny('\0', '\uFFFD'))) throw ImportException.NotUtf8(path);
        throw ImportException.WrongHeader(path, columns, file.Header);
    }

    /// <summary>Every record after the header; blank lines are not records.</summary>
    public IEnumerable<CsvRow> Rows()
    {
        var begins = _parser.RawRow + 1L;
        for (; _parser.Read(); begins = _parser.RawRow + 1L, _badQuotes = false)
        {
            var record = _parser.Record!;
            if (record is [""]) continue;

            var problem = Problem(record, begins);
            yield return new(begins, problem is null ? Array.ConvertAll(record, NullIfEmpty) : [], problem);
        }
    }

    public void Dispose() => _parser.Dispose();

    private string? Problem(string[] record, long begins)
    {
        if (_badQuotes)
            return begins == _parser.RawRow
                ? "a quotation mark is out of place"
                : $"a quotation mark is out of place or never closed; the record reaches to line {_parser.RawRow}";
        if (record.Length != Header.Length) return $"{record.Length} field{(record.Length == 1 ? "" : "s")} instead of {Header.Length}";
        if (Array.Exists(record, field => field.Contains('\uFFFD'))) return "not UTF-8";
        if (Array.Exists(record, field => field.Contains('\0'))) return "a NUL character";

        return null;
    }

    private static string? NullIfEmpty(string field) => field.Length == 0 ? null : field;
}
