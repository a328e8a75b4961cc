namespace Keelback.Jobs;

/// <summary>A parameter of a job that is stored encrypted, so that pages, logs, backups and whoever reads the tables see none of it.</summary>
/// <remarks>
/// By a key of <see cref="JobsOptions.SecretKeys"/>; without one by the app's data protection (<c>AddDataProtection()</c>), whose keys every
/// process must share. It covers the parameter as a whole, and no single member of it. Another job's result cannot be given to it, and its job cannot be
/// mapped over items (KB1246). What the job returns, logs or throws is its own affair.
/// </remarks>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class SecretAttribute : Attribute;
