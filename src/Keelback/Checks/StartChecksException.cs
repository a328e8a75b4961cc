namespace Keelback;

/// <summary>The app did not start; the message lists every mistake with its hint.</summary>
internal sealed class StartChecksException(IReadOnlyList<Finding> findings)
    : KeelbackException("KB1501", $"{FindingList.Count(findings)} before the start:\n{FindingList.Text(findings)}");
