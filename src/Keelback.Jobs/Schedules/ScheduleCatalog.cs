using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>The schedules that this process's code defines: those of the options, and those of methods with <see cref="ScheduleAttribute"/>.</summary>
internal sealed class ScheduleCatalog
{
    private readonly Dictionary<string, CodeSchedule> _byName = new(StringComparer.Ordinal);
    private readonly List<KeelbackException> _mistakes = [];

    public ScheduleCatalog(IOptions<JobsOptions> options, IEnumerable<JobKind> kinds, IHostEnvironment environment)
    {
        Program = environment.ApplicationName;
        foreach (var schedule in options.Value.Schedules) Add(schedule.Name, () => schedule);
        foreach (var kind in kinds)
            foreach (var attribute in kind.Metadata.OfType<ScheduleAttribute>())
                Add(attribute.Name ?? kind.Name, () => attribute.ToSchedule(kind));
    }

    /// <summary>Whose code it is: programs that share an app do not retire each other's schedules.</summary>
    public string Program { get; }

    public IReadOnlyCollection<CodeSchedule> All => _byName.Values;

    /// <summary>Everything that keeps the app from starting.</summary>
    public IReadOnlyList<KeelbackException> Mistakes => _mistakes;

    public CodeSchedule? Find(string name) => _byName.GetValueOrDefault(name);

    private void Add(string name, Func<CodeSchedule> make)
    {
        try
        {
            var schedule = make();
            ScheduleRules.Check(name, schedule.Trigger, schedule.Options);
            if (!_byName.TryAdd(name, schedule)) _mistakes.Add(JobErrors.DuplicateSchedule(name));
        }
        catch (KeelbackException e)
        {
            _mistakes.Add(e);
        }
    }
}
