using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Data.Tests;

/// <summary>Which contexts serve one scope after another, and what they leave behind.</summary>
public sealed class ContextPoolingTests : ShopTest
{
    [Fact]
    public async Task A_context_without_state_of_its_own_serves_the_next_scope_empty()
    {
        await using var app = App<Shop>();
        Shop first;
        await using (var scope = app.CreateAsyncScope())
        {
            first = scope.ServiceProvider.GetRequiredService<Shop>();
            first.Add(new Invoice { Number = "never saved" });
            first.Note(() => "never run");
        }

        await using var next = app.CreateAsyncScope();
        var second = next.ServiceProvider.GetRequiredService<Shop>();

        Assert.Same(first, second);
        Assert.Empty(second.ChangeTracker.Entries());
        second.Add(new Invoice { Number = "A-1" });
        await second.SaveChangesAsync();
        Assert.Equal(["A-1"], await InvoicesAsync());
        Assert.Empty(await LedgerAsync());
    }

    [Theory]
    [InlineData(typeof(Shop), true)]
    [InlineData(typeof(WithSets), true)]
    [InlineData(typeof(WithTenant), false)]
    [InlineData(typeof(BelowTenant), false)]
    [InlineData(typeof(WithClock), false)]
    [InlineData(typeof(WithConfiguring), false)]
    [InlineData(typeof(WithTwoConstructors), false)]
    public void What_a_class_adds_decides(Type context, bool isPooled) => Assert.Equal(isPooled, ContextPooling.Fits(context));

    [Fact]
    public async Task What_one_scope_sets_on_its_context_is_not_seen_by_the_next()
    {
        await using var app = App<WithTenant>();
        await using (var scope = app.CreateAsyncScope()) scope.ServiceProvider.GetRequiredService<WithTenant>().Tenant = 5;

        await using var next = app.CreateAsyncScope();

        Assert.Equal(0, next.ServiceProvider.GetRequiredService<WithTenant>().Tenant);
    }

    [Fact]
    public async Task A_pooled_context_leaves_a_test_s_transaction_with_its_scope()
    {
        var outer = new OuterTransaction();
        await using var app = App<Shop>(s => s.AddSingleton(outer));
        await using (var connection = await Database.DataSource.OpenConnectionAsync())
        {
            outer.Current = await connection.BeginTransactionAsync();
            await SaveAsync(app, "rolled back");
            outer.Current = null;
        }

        await SaveAsync(app, "kept");

        Assert.Equal(["kept"], await InvoicesAsync());
    }

    [Fact]
    public async Task A_context_on_another_data_source_stays_out_of_a_test_s_transaction()
    {
        var outer = new OuterTransaction();
        await using var other = new Npgsql.NpgsqlDataSourceBuilder(Database.ConnectionString).Build();
        await using var app = App<Shop>(s => s.AddSingleton(outer));
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        outer.Current = await connection.BeginTransactionAsync();

        await using (var db = new Shop(new DbContextOptionsBuilder<Shop>()
            .UseNpgsql(other).UseKeelback().UseApplicationServiceProvider(app).Options))
        {
            db.Add(new Invoice { Number = "elsewhere" });
            await db.SaveChangesAsync();
        }

        await outer.Current.RollbackAsync();
        Assert.Equal(["elsewhere"], await InvoicesAsync());
    }

    [Fact]
    public async Task A_scope_that_knows_its_context_by_two_names_returns_it_once()
    {
        await using var app = App<Shop>();
        await using (var scope = app.CreateAsyncScope())
            Assert.Same(scope.ServiceProvider.GetRequiredService<Shop>(), scope.ServiceProvider.GetRequiredService<DbContext>());

        await using var one = app.CreateAsyncScope();
        await using var other = app.CreateAsyncScope();

        Assert.NotSame(one.ServiceProvider.GetRequiredService<Shop>(), other.ServiceProvider.GetRequiredService<Shop>());
        Assert.Empty(await one.ServiceProvider.GetRequiredService<Shop>().Invoices.ToListAsync());
    }

    private ServiceProvider App<TDb>(Action<IServiceCollection>? more = null) where TDb : DbContext
    {
        var host = Host.CreateEmptyApplicationBuilder(new());
        host.Services.AddSingleton(Database.DataSource);
        more?.Invoke(host.Services);
        new KeelbackBuilder(host).AddData<TDb>();
        return host.Services.BuildServiceProvider(validateScopes: true);
    }

    private static async Task SaveAsync(IServiceProvider app, string number)
    {
        await using var scope = app.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<Shop>();
        db.Add(new Invoice { Number = number });
        await db.SaveChangesAsync();
    }

    private sealed class WithSets(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Invoice> Invoices { get; set; } = null!;
    }

    private class WithTenant(DbContextOptions options) : DbContext(options)
    {
        public int Tenant { get; set; }
    }

    private sealed class BelowTenant(DbContextOptions options) : WithTenant(options);

    private sealed class WithClock(DbContextOptions<WithClock> options, TimeProvider clock) : DbContext(options)
    {
        public TimeProvider Clock => clock;
    }

    private sealed class WithConfiguring(DbContextOptions options) : DbContext(options)
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.EnableDetailedErrors();
    }

    private sealed class WithTwoConstructors(DbContextOptions options) : DbContext(options)
    {
        public WithTwoConstructors() : this(new DbContextOptions<WithTwoConstructors>())
        {
        }
    }
}
