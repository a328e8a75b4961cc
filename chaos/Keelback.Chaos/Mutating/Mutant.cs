namespace Keelback.Chaos;

/// <summary>A bug to plant: one piece of text for another, and who must notice.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="File">Under <c>src/</c>; its first folder is the project that is built again.</param>
/// <param name="From">Stands there exactly once.</param>
/// <param name="To">What takes its place.</param>
/// <param name="Suite"><c>tests: filter</c> of the jobs' tests, or <c>chaos: arguments</c>.</param>
internal sealed record Mutant(string Name, string File, string From, string To, string Suite)
{
    public string Project => File[..File.IndexOf('/')];
}
