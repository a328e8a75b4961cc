using System.Buffers;
using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>A JSON writer with its buffer, which the next payload of the same thread uses again: they weigh more than most payloads.</summary>
internal sealed class PayloadWriter
{
    private const int MostKept = 16 * 1024;

    [ThreadStatic]
    private static PayloadWriter? t_spare;

    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    private PayloadWriter() => Json = new(_buffer);

    public Utf8JsonWriter Json { get; }

    public static PayloadWriter Take()
    {
        var taken = t_spare ?? new();
        t_spare = null; // a converter may describe a job while one is written
        return taken;
    }

    /// <summary>What was written. Nobody may write after it.</summary>
    public byte[] Close()
    {
        Json.Flush();
        var written = _buffer.WrittenSpan.ToArray();
        if (_buffer.Capacity > MostKept) return written;

        _buffer.ResetWrittenCount();
        Json.Reset();
        t_spare = this;
        return written;
    }
}
