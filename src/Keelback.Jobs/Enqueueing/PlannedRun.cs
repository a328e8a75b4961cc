using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>One row-to-be of a plan.</summary>
internal sealed record PlannedRun(JobKind Kind, ReadOnlyMemory<byte> Input, EnqueueOptions? Options)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(36_525);
    private static readonly ReadOnlyMemory<byte> s_empty = "{}"u8.ToArray();
    private static readonly Dictionary<PlannedRun, JobEdgeRule> s_noUps = [];

    // Most runs have neither, and a thousand are planned at once.
    private List<(PlannedRun Up, string Parameter)>? _bound;
    private Dictionary<PlannedRun, JobEdgeRule>? _ups;

    /// <summary>Replaced where it has secrets.</summary>
    public ReadOnlyMemory<byte> Input { get; set; } = Input;

    /// <summary>Replaced where a filter says so.</summary>
    public EnqueueOptions? Options { get; set; } = Options;

    /// <summary>Where its place in the queue comes from; the engine's own kinds have no queue of theirs.</summary>
    public PlannedRun? Example { get; init; }

    public string Queue => Options?.Queue ?? Example?.Queue ?? Kind.Defaults.Queue;

    public int Priority => Options?.Priority ?? Example?.Priority ?? Kind.Defaults.Priority;

    public int MaxAttempts => Options?.MaxAttempts ?? Kind.Defaults.MaxAttempts;

    public TimeSpan? Timeout => Options?.Timeout ?? Parsed(nameof(JobAttribute.Timeout), Kind.Defaults.Timeout);

    /// <summary>Whose turn it waits for; filled in by <see cref="Check"/>, as the keys are.</summary>
    public string? Tenant { get; private set; }

    /// <summary>The keys of its limits, each once.</summary>
    public IReadOnlyList<string> Limits { get; private set; } = [];

    /// <summary>What is to be unique about it, and its key with the scope; null: nothing. It holds for the job that is enqueued.</summary>
    public JobUnique? Unique { get; private set; }

    public string? UniqueKey { get; private set; }

    /// <summary>The key, once it has taken it; null: it needs none.</summary>
    public string? HeldKey { get; set; }

    public TimeSpan? ExpiresAfter => Options?.ExpiresAt is not null ? null : Options?.ExpiresAfter ?? Parsed(nameof(JobAttribute.ExpiresAfter), Kind.Defaults.ExpiresAfter);

    /// <summary>Whether the claim has to look closer.</summary>
    public bool IsSpecial => Limits.Count > 0 || ExpiresAfter is not null || Options?.ExpiresAt is not null;

    /// <summary>How long the result is kept; zero: not at all; null: as long as the run. What a call says goes before what the kind says.</summary>
    public TimeSpan? ResultKept => (Options?.KeepResult, Options?.ResultKept) switch
    {
        (false, _) => TimeSpan.Zero,
        (_, { } kept) => kept,
        (true, null) => null,
        _ => Kind.Defaults.KeepResult ? Parsed(nameof(JobAttribute.ResultKept), Kind.Defaults.ResultKept) : TimeSpan.Zero,
    };

    /// <summary>Whether its row has what few have, and the statement for plain runs does not write.</summary>
    public bool IsUnusual => ResultKept is not null || IsSpecial || Tenant is not null;

    public ReadOnlyMemory<byte> Payload => Input.IsEmpty ? s_empty : Input;

    /// <summary>The arguments that are other runs' results; <c>name[]</c> is an element of an array.</summary>
    public IReadOnlyList<(PlannedRun Up, string Parameter)> Bound => _bound ?? [];

    /// <summary>The runs that come first, each once, and how they must have ended.</summary>
    public IReadOnlyDictionary<PlannedRun, JobEdgeRule> Ups => _ups ?? s_noUps;

    /// <summary>Whether another run waits for this one.</summary>
    public bool Followed { get; set; }

    /// <summary>Whether its end needs more than the fast path, which knows edges by success and by any end.</summary>
    public bool Settles { get; set; }

    /// <summary>Whether it is a row already: <see cref="Job.Of"/>.</summary>
    public bool Exists { get; init; }

    /// <summary>Whether a run of the plan takes the result of this one, which exists.</summary>
    public bool IsTaken { get; set; }

    /// <summary>The run that its graph is enqueued as; null for a run without edges.</summary>
    public PlannedRun? Root { get; set; }

    /// <summary>Its own tags and its graph's.</summary>
    public IReadOnlyCollection<string> Tags { get; set; } = [];

    /// <summary>The row's key, once it is reserved.</summary>
    public long Id { get; set; }

    /// <summary>The run that has its unique key already, in whose favour it is not written; null: it is written.</summary>
    public long? Answer { get; set; }

    /// <summary>The run that an earlier call with its id made, in whose favour it is not written; null: there was none.</summary>
    public long? Twin { get; set; }

    /// <summary>The run that had its unique key before it, if it was to replace that one, which may have ended by itself.</summary>
    public long? KeyWasOf { get; set; }

    /// <summary>Whether an argument is another run's result.</summary>
    public bool IsBound(string parameter) => BoundParameters.Contains(JsonNamingPolicy.CamelCase.ConvertName(parameter));

    /// <summary>The arguments that other runs will have the values of.</summary>
    public required IReadOnlyCollection<string> BoundParameters { get; init; }

    /// <summary>Gives an argument the result of another run.</summary>
    public void Bind(PlannedRun up, string parameter) => (_bound ??= []).Add((up, parameter));

    /// <summary>Has it wait for another run.</summary>
    public void Follow(PlannedRun up, JobEdgeRule rule) => (_ups ??= new(ReferenceEqualityComparer.Instance))[up] = rule;

    /// <exception cref="KeelbackException">KB1208, KB1225.</exception>
    public void Check()
    {
        var mistake = this switch
        {
            { Priority: < 0 or > 9 } => $"its priority ({Priority}) must be 0 to 9.",
            { MaxAttempts: < 1 or > 1000 } => $"its attempts ({MaxAttempts}) must be 1 to 1,000.",
            _ when NameMistake(Queue) is { } wrong => $"its queue '{JobErrors.Shown(Queue)}': {wrong}",
            { Options.Id: { } id } when id == Guid.Empty => $"its id ({id}) is that of a Guid nobody has set, and would make every such call the first one's. Make one for each call: Guid.CreateVersion7().",
            { Options: { Delay: not null, At: not null } } => "give it a delay or an instant, not both.",
            { Options.Delay: { } delay } when delay < TimeSpan.Zero => $"its delay ({delay}) must not be negative; a run without one is due at once.",
            { Options.Delay: { } delay } when delay > s_longest => $"its delay ({delay}) must not be over 100 years.",
            { Options.At: { } at } when at.Year is < 1970 or > 9998 => $"its instant ({at:O}) must be in the years 1970 to 9998.",
            { Options: { KeepResult: false, ResultKept: not null } } => "its result cannot be kept for a time and not at all.",
            { Options.ResultKept: { } kept } when kept <= TimeSpan.Zero || kept > s_longest => $"its result's time ({kept}) must be over zero and not over 100 years.",
            { Options: { ExpiresAfter: not null, ExpiresAt: not null } } => "give it a time after which it expires or an instant, not both.",
            { Options: { ExpiresAt: { } end, At: { } start } } when end <= start => $"it expires ({end:O}) before it is due ({start:O}).",
            { Options.ExpiresAt: { } end } when end.Year is < 1970 or > 9998 => $"its expiry ({end:O}) must be in the years 1970 to 9998.",
            _ when ExpiresAfter is { } after && (after <= TimeSpan.Zero || after > s_longest) => $"its expiry ({after}) must be more than zero, and not over 100 years.",
            { Options.Tags: { } tags } when tags.Count > 20 => $"it has {tags.Count} tags; 20 are the most.",
            { Options.Tags: { } tags } when tags.FirstOrDefault(tag => NameMistake(tag) is not null, "-") is var tag && NameMistake(tag) is { } wrong =>
                $"its tag '{JobErrors.Shown(tag)}': {wrong}",
            _ when Timeout is { } t && (t <= TimeSpan.Zero || t.TotalMilliseconds > int.MaxValue) => $"its timeout ({t}) must be between 1 ms and 24 days.",
            _ => null,
        };
        if (mistake is not null) throw JobErrors.BadOptions(Kind.Name, mistake);

        Tenant = (Options?.Tenant ?? Kind.Defaults.Tenant) is { } tenant ? KeyTemplate.Fill(tenant, this) : Example?.Tenant;
        if ((Options?.Unique ?? Kind.Unique?.ToOptions(Kind.Name)) is { } unique)
        {
            if (unique.Window is { } window && (window <= TimeSpan.Zero || window > s_longest))
                throw JobErrors.BadOptions(Kind.Name, $"its unique key's window ({window}) must be more than zero, and not over 100 years.");
            if (!Enum.IsDefined(unique.Scope) || !Enum.IsDefined(unique.Until) || !Enum.IsDefined(unique.OnConflict))
                throw JobErrors.BadOptions(Kind.Name, $"its unique key says what there is not: {unique.Scope}, {unique.Until}, {unique.OnConflict}.");
            var scope = unique.Scope switch { UniqueScope.Kind => $"kind:{Kind.Name}:", UniqueScope.Queue => $"queue:{Queue}:", _ => "app:" };
            (Unique, UniqueKey) = (unique, scope + KeyTemplate.Fill(unique.Key, this));
        }

        if (Kind.Limits.Count > 0 || Options?.Limits is { Count: > 0 })
            Limits = [.. Kind.Limits.Select(limit => limit.Key).Concat(Options?.Limits ?? []).Select(key => KeyTemplate.Fill(key, this)).Distinct(StringComparer.Ordinal)];
    }

    private TimeSpan? Parsed(string member, string? text) => JobDuration.Parse(text, $"its {member}", mistake => JobErrors.BadOptions(Kind.Name, mistake));

    /// <summary>What is wrong with the name of a queue, or a tag; null: nothing.</summary>
    internal static string? NameMistake(string? name) => string.IsNullOrWhiteSpace(name) || name.Length > 100 ? "it must have 1 to 100 characters, and not blanks alone." : StorableText.NameMistake(name);

    // Identity, not value: the same call written twice is two runs.
    public bool Equals(PlannedRun? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
