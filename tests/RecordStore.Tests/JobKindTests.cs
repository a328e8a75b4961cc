using Keelback;
using Keelback.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace RecordStore.Tests;

public class JobKindTests
{
    [Fact]
    public void The_jobs_of_a_referenced_assembly_are_found()
    {
        // This assembly has no jobs of its own; it references the store, whose jobs they are.
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = typeof(JobKindTests).Assembly.GetName().Name });
        new KeelbackBuilder(builder).AddJobs();
        using var host = builder.Build();

        var kinds = host.Services.GetServices<JobKind>().Select(kind => kind.Name).Order();

        Assert.Equal(["Imports.File", "Imports.Finish", "Mails.Deliver", "Receipts.Send", "Sales.Countries", "Sales.Country", "Sales.Month", "Sales.Total"], kinds);
    }
}
