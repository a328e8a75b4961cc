using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Chaos;

/// <summary>What a producer asks for.</summary>
internal enum Shape
{
    Plain,
    Tx,
    Chord,
    Nested,
    BadChord,
    Flaky,
    Delayed,
    Slow,
    Cancelled,
    Duplicate,
    Ordered,
    Nul,
    Huge,
    Odd,
    Newer,
    Limited,
    Paced,
    Solo,
    Mapped,
    Throws,
    Deaf,
    Swells,
    Kills,
}

/// <summary>One call, made from the seed and its number alone; the ledger keeps what the checker needs of it.</summary>
internal sealed record Call(long Key, Shape Shape, int N, int Ms, int DelayMs, bool HasId)
{
    public const long PerProducer = 1_000_000_000;

    /// <summary>From here on: calls that the plan of faults asks for.</summary>
    public const long Special = 900_000_000;

    private static readonly (Shape Shape, int Weight)[] s_mix =
    [
        (Shape.Plain, 16), (Shape.Tx, 18), (Shape.Chord, 32), (Shape.Nested, 3), (Shape.BadChord, 2), (Shape.Flaky, 6), (Shape.Delayed, 5),
        (Shape.Slow, 2), (Shape.Cancelled, 6), (Shape.Duplicate, 1), (Shape.Ordered, 5), (Shape.Nul, 1), (Shape.Huge, 1), (Shape.Odd, 1),
        (Shape.Newer, 1), (Shape.Limited, 4), (Shape.Paced, 3), (Shape.Solo, 4), (Shape.Mapped, 2), (Shape.Throws, 2), (Shape.Swells, 1),
    ];

    public static Call Of(int seed, int producer, long number)
    {
        var random = new Random(HashCode32(seed, producer, number));
        var at = random.Next(s_mix.Sum(m => m.Weight));
        var shape = s_mix.First(m => (at -= m.Weight) < 0).Shape;
        var n = shape switch
        {
            Shape.Chord => random.Next(100) switch { < 1 => 0, < 70 => random.Next(1, 5), < 95 => random.Next(5, 13), _ => random.Next(13, 51) },
            Shape.BadChord => random.Next(1, 6),
            Shape.Mapped => random.Next(0, 8),
            Shape.Flaky => random.Next(1, 4),
            _ => 0,
        };
        var ms = shape == Shape.Slow ? random.Next(500, 4000) : random.Next(0, 50);
        return new(KeyOf(producer, number), shape, n, ms, shape is Shape.Delayed ? random.Next(300, 4000) : 0,
            (random.Next(2) == 0 || shape == Shape.Duplicate) && shape != Shape.Solo); // of a call with an id and a key the run may be another's
    }

    public static Call Ordered(Shape shape, int producer, long number, int delayMs = 0) => new(KeyOf(producer, Special + number), shape, 0, 10, delayMs, HasId: true);

    public EnqueueOptions Options => new()
    {
        Id = HasId ? Id(Key) : null,
        Delay = DelayMs > 0 ? TimeSpan.FromMilliseconds(DelayMs) : null,
    };

    /// <summary>What the body of a chord is to get.</summary>
    public long[] Results => Shape switch
    {
        Shape.Chord or Shape.Mapped => [.. Enumerable.Range(0, N).Select(Value)],
        Shape.Nested => [Value(0) + Value(1), Value(2) + Value(3) + Value(4)],
        _ => [],
    };

    /// <summary>Runs that carry the call's key.</summary>
    public int Runs => Shape switch
    {
        Shape.Chord => N + 1,
        Shape.BadChord or Shape.Mapped => N + 2,
        Shape.Nested => 9,
        _ => 1,
    };

    public Job Build() => Shape switch
    {
        Shape.Tx => Effects.Tx(Key, Ms),
        Shape.Chord => Effects.Body(Key, Job.All(Enumerable.Range(0, N).Select(i => Work.Member(Key, Value(i), Ms)))),
        Shape.BadChord => Effects.Body(Key, Job.All([.. Enumerable.Range(0, N).Select(i => Work.Member(Key, Value(i), Ms)), Work.Throws(Key)])),
        Shape.Nested => Effects.Body(Key, Job.All(
        [
            Work.Add(Key, Job.All([Member(0), Member(1)])),
            Work.Add(Key, Job.All([Work.Add(Key, Job.All([Member(2), Member(3)])), Member(4)])),
        ])),
        Shape.Flaky => Work.Flaky(Key, N),
        Shape.Nul => Work.Text(Key, "a\0b"),
        Shape.Huge => Work.Text(Key, new string('x', 300_000)),
        Shape.Odd => Work.Text(Key, "half a pair \ud800, an astral 🜁, a quote \", a backslash \\u0000, a line\nbreak"),
        Shape.Newer => Work.OfVersionTwo(Key),
        Shape.Limited => Work.Limited(Key, Key % Work.Groups, Ms + 20),
        Shape.Paced => Work.Paced(Key),
        Shape.Solo => Work.Solo(Key, Key % Work.Groups, Ms + 20),
        Shape.Mapped => Effects.Body(Key, Job.Map(Work.Numbers(Key, Results), value => Work.Member(Key, value, Ms))),
        Shape.Throws => Work.Throws(Key),
        Shape.Deaf => Work.Deaf(Key),
        Shape.Swells => Work.Swells(Key),
        Shape.Kills => Work.Kills(Key),
        Shape.Ordered => Effects.Tx(Key, Ms),
        _ => Work.Plain(Key, Ms),
    };

    public object[] Words => [Key, Shape, N, Ms, DelayMs, HasId];

    public static Call Parse(ReadOnlySpan<string> words) => new(
        long.Parse(words[0], CultureInfo.InvariantCulture), Enum.Parse<Shape>(words[1]), int.Parse(words[2], CultureInfo.InvariantCulture),
        int.Parse(words[3], CultureInfo.InvariantCulture), int.Parse(words[4], CultureInfo.InvariantCulture), bool.Parse(words[5]));

    private Job<long> Member(int i) => Work.Member(Key, Value(i), Ms);

    private long Value(int i) => (Key * 31) + i;

    // Never 0, which is what a run without a call has.
    private static long KeyOf(int producer, long number) => ((producer + 1) * PerProducer) + number;

    private static Guid Id(long key)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes[8..], key);
        bytes[7] = 0x70;
        return new(bytes);
    }

    // HashCode is seeded by the process; this one is not.
    private static int HashCode32(params ReadOnlySpan<long> words)
    {
        var hash = 1469598103934665603UL;
        foreach (var word in words)
            for (var i = 0; i < 64; i += 8) hash = (hash ^ (byte)(word >> i)) * 1099511628211UL;
        return (int)(hash ^ (hash >> 32));
    }
}
