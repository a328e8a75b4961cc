using Keelback.Chaos;

return args switch
{
    ["worker", .. var role] => await WorkerRole.RunAsync(RoleOptions.Parse(role)),
    ["producer", .. var role] => await ProducerRole.RunAsync(RoleOptions.Parse(role)),
    ["mutants", .. var names] => await Mutants.RunAsync(names),
    ["check", var folder] => await ChaosRun.JudgeAsync(folder),
    _ => await ChaosRun.RunAsync(ChaosOptions.Parse(args)),
};
