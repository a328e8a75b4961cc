namespace Keelback.Jobs;

/// <summary>Starts a job only while a key has a free slot and starts left; counted over all workers. Several may stand on one job: it needs all of them.</summary>
/// <remarks>
/// The key is a name, or a name with an argument's value: <c>"stripe"</c>, <c>"customer:{customerId}"</c>, <c>"shop:{order.ShopId}"</c>. What stands
/// before the first <c>:</c> is the limit's name: its numbers are written once, on one of the jobs that use it, in <see cref="JobsOptions.Limits"/>, or
/// at run time by <see cref="JobLimits"/>. Without numbers the attribute refers to those. Work over its limit waits as <see cref="JobRunState.Limited"/>.
/// Values stand in the key as they are: of two, <c>{a}{b}</c> is one key for 1 and 23 as for 12 and 3. Put between them what neither can hold. A
/// <see cref="SecretAttribute"/> parameter cannot be in a key, which is stored and shown in the open.
/// </remarks>
public sealed class LimitAttribute(string key)
    : JobMetadataAttribute
{
    /// <summary>1 to 200 characters once its parameters are filled in; it does not begin with <c>#</c>.</summary>
    public string Key { get; } = key;

    /// <summary>At most so many at once for each key; 1 or more. Default: no limit on how many run.</summary>
    public int Slots { get; set; }

    /// <summary>At most so many starts in any second, wherever one begins to count; 1 or more. Default: none.</summary>
    public int PerSecond { get; set; }

    /// <summary>At most so many starts in any minute. Default: none.</summary>
    public int PerMinute { get; set; }

    /// <summary>At most so many starts in any hour. Default: none.</summary>
    public int PerHour { get; set; }

    /// <summary>At most so many starts in any 24 hours. Default: none.</summary>
    public int PerDay { get; set; }

    /// <summary>The numbers; null when it only refers to them.</summary>
    internal JobLimit? Numbers => (Slots, PerSecond, PerMinute, PerHour, PerDay) is (0, 0, 0, 0, 0)
        ? null
        : new(NullIfZero(Slots), NullIfZero(PerSecond), NullIfZero(PerMinute), NullIfZero(PerHour), NullIfZero(PerDay));

    private static int? NullIfZero(int n) => n == 0 ? null : n;
}
