using Keelback.Data;

namespace Keelback;

/// <summary>The context that a command is about.</summary>
internal static class ContextChoice
{
    /// <param name="contexts">Those of the app.</param>
    /// <param name="name">With or without its namespace; null: all of them.</param>
    /// <param name="required">Whether it must be exactly one.</param>
    /// <exception cref="KeelbackException">KB1516: the app has none. KB1518: the name fits none, or several are left.</exception>
    public static IReadOnlyList<DataContext> Among(IEnumerable<DataContext> contexts, string? name, bool required)
    {
        var all = contexts.ToList();
        if (required && all.Count == 0) throw KeelbackErrors.NoContext();

        var chosen = name is null ? all : all.FindAll(c => c.Type.Name == name || c.Type.FullName == name);
        return (name is null || chosen.Count > 0) && (!required || chosen.Count == 1)
            ? chosen
            : throw KeelbackErrors.WhichContext(all.Select(c => c.Type.Name));
    }
}
