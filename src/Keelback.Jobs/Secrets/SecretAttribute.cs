namespace Keelback.Jobs;

/// <summary>A parameter of a job, or a member of what one takes, returns or reports, that is stored encrypted: pages, logs, backups and whoever reads the tables see none of it.</summary>
/// <remarks>
/// By a key of <see cref="JobsOptions.SecretKeys"/>; without one by the app's data protection (<c>AddDataProtection()</c>), whose keys every
/// process must share. A member is a property or field that the serializer writes, or the parameter of a record that stands for one; it goes encrypted
/// from a result to the job that takes it. A parameter is covered as a whole: another job's result cannot be given to it, and its job cannot be
/// mapped over items (KB1246). What the job logs or throws is its own affair.
/// </remarks>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SecretAttribute : Attribute;
