namespace Keelback.Jobs;

/// <summary>An attribute of a job's method, or of its class for all of its jobs, that goes with the kind: the generator rebuilds it, so nothing is reflected over at run time.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
public abstract class JobMetadataAttribute : Attribute;
